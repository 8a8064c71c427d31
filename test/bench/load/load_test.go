package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
)

// sent is what Send writes.
func sent(t *testing.T, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Send(&b, n); err != nil || int64(b.Len()) != n {
		t.Fatalf("sent %d of %d: %v", b.Len(), n, err)
	}
	return b.Bytes()
}

const size = 3*blockSize + 12345

func TestCheckTakesWhatWasSent(t *testing.T) {
	all := sent(t, size)
	for _, r := range []io.Reader{bytes.NewReader(all), odd{bytes.NewReader(all)}} {
		if good, err := Check(r, size); good != size || err != nil {
			t.Errorf("%d of %d were right: %v", good, size, err)
		}
	}
}

// odd reads in pieces that fit no border.
type odd struct{ from io.Reader }

func (o odd) Read(b []byte) (int, error) { return o.from.Read(b[:min(len(b), 777)]) }

// What a path can do to bytes: each is seen, and none of it counts as carried.
func TestCheckSeesEveryChange(t *testing.T) {
	all := sent(t, size)
	const at = blockSize + 100
	for name, is := range map[string][]byte{
		"a bit turned":        slices.Concat(all[:at], []byte{all[at] ^ 1}, all[at+1:]),
		"a byte lost":         slices.Concat(all[:at], all[at+1:]),
		"a block lost":        slices.Concat(all[:at], all[at+blockSize:]),
		"a block twice":       slices.Concat(all[:at], all[at-blockSize:]),
		"two blocks switched": slices.Concat(all[:blockSize], all[2*blockSize:3*blockSize], all[blockSize:2*blockSize], all[3*blockSize:]),
		"the end lost":        all[:at],
	} {
		good, err := Check(bytes.NewReader(is), size)
		if err == nil || good > at {
			t.Errorf("%s: %d bytes were taken for right, error %v", name, good, err)
		}
	}
	if _, err := Check(bytes.NewReader(all[:at]), size); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the end lost: %v", err)
	}
}

// The engine counts what it was sent, and counts nothing that is wrong.
func TestEngineJudgesWhatItGets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := Serve(l)
	defer e.Close()
	all := sent(t, 200_000)
	bad := slices.Clone(all)
	bad[150_000]++
	for _, c := range []struct {
		body []byte
		well bool
	}{{all, true}, {bad, false}} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST /up?n=200000 HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, len(headRaw))); err != nil {
			t.Fatal(err)
		}
		conn.Write(c.body)
		var good int64
		if err := binary.Read(conn, binary.BigEndian, &good); err != nil {
			t.Fatal(err)
		}
		if well := good == int64(len(all)); well != c.well {
			t.Errorf("the engine took %d bytes for right, want all: %v", good, c.well)
		}
	}
}
