package bridge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	magic       = "\x00\xffDWB\r\n\x1a"
	version     = 1
	helloSize   = len(magic) + 2 + sha256.Size
	maxNoise    = 8 << 10
	noisePeriod = time.Second // for the rest of what began as noise
)

// BuildID is the SHA-256 of the agent's file. Both halves of a session have
// the same.
type BuildID [sha256.Size]byte

// ParseBuildID reads the hexadecimal form.
func ParseBuildID(s string) (BuildID, error) {
	var id BuildID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("parse build id: want %d hexadecimal digits", 2*len(id))
	}
	copy(id[:], b)
	return id, nil
}

// OwnBuildID is the build id of the program that runs.
func OwnBuildID() (BuildID, error) {
	var id BuildID
	f, err := os.Open("/proc/self/exe") // the file even if it was removed or replaced
	if err != nil {
		return id, fmt.Errorf("hash own file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return id, fmt.Errorf("hash own file: %w", err)
	}
	h.Sum(id[:0])
	return id, nil
}

// String is the hexadecimal form.
func (id BuildID) String() string { return hex.EncodeToString(id[:]) }

// NoiseError says that something other than an agent spoke, or nobody did.
type NoiseError struct {
	Said  []byte // up to 8 KiB of it, as it came: not fit for a terminal
	Cause error  // why it ended
}

func (e *NoiseError) Error() string {
	if len(e.Said) == 0 {
		return "await agent: nothing came: " + e.Cause.Error()
	}
	return "await agent: something else answered"
}

// Unwrap gives the cause.
func (e *NoiseError) Unwrap() error { return e.Cause }

// OtherBuildError says that the agent is not the one that was put in place.
type OtherBuildError struct {
	Version    uint16
	Got, Want  BuildID
	OwnVersion uint16
}

func (e *OtherBuildError) Error() string {
	if e.Version != e.OwnVersion {
		return fmt.Sprintf("greet agent: it speaks protocol version %d, this program %d", e.Version, e.OwnVersion)
	}
	return fmt.Sprintf("greet agent: it is build %.12s, this program brought %.12s", e.Got, e.Want)
}

func appendHello(b []byte, id BuildID) []byte {
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, version)
	return append(b, id[:]...)
}

// checkHello judges a whole hello.
func checkHello(b []byte, want BuildID) error {
	e := &OtherBuildError{
		Version:    binary.BigEndian.Uint16(b[len(magic):]),
		OwnVersion: version,
		Got:        BuildID(b[len(magic)+2:]),
		Want:       want,
	}
	if e.Version != version || e.Got != want {
		return e
	}
	return nil
}

// readHello reads and checks the far side's hello. It reads no byte more than
// the hello, unless there is noise in its place; of that it reads what comes
// within noisePeriod. When ctx ends it closes the carrier.
func readHello(ctx context.Context, carrier io.ReadWriteCloser, want BuildID) error {
	stop := context.AfterFunc(ctx, func() { carrier.Close() })
	defer stop()
	b := make([]byte, helloSize)
	n := 0
	for n < helloSize {
		k, err := carrier.Read(b[n:])
		n += k
		if !bytes.Equal(b[:min(n, len(magic))], []byte(magic)[:min(n, len(magic))]) {
			return readNoise(ctx, carrier, b[:n])
		}
		if err != nil && n < helloSize {
			return &NoiseError{Said: b[:n], Cause: causeOfHello(ctx, err)}
		}
	}
	return checkHello(b, want)
}

func readNoise(ctx context.Context, carrier io.ReadWriteCloser, start []byte) error {
	timer := time.AfterFunc(noisePeriod, func() { carrier.Close() })
	defer timer.Stop()
	rest, err := io.ReadAll(io.LimitReader(carrier, int64(maxNoise-len(start))))
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return &NoiseError{Said: append(start, rest...), Cause: causeOfHello(ctx, err)}
}

func causeOfHello(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}
