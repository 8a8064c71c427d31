package bridge

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// documentedHello is the example of docs/protocol.md.
func documentedHello(t *testing.T) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex hello\n")
	text, _, _ := strings.Cut(rest, "```")
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDocumentedHello(t *testing.T) {
	want := documentedHello(t)
	// The build id of the example is the hash of an empty file.
	id, err := ParseBuildID("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	if err != nil {
		t.Fatal(err)
	}
	if got := appendHello(nil, id); !bytes.Equal(got, want) {
		t.Errorf("hello is % x, documented as % x", got, want)
	}
	if err := checkHello(want, id); err != nil {
		t.Error(err)
	}
}

// greet lets readHello read what a far side says and then ends.
func greet(t *testing.T, said []byte, end bool) error {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		_, _ = far.Write(said) // the reader may have enough before the end
		if end {
			far.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer far.Close()
	return readHello(ctx, near, BuildID{1})
}

func TestHelloIsNotNoise(t *testing.T) {
	if err := greet(t, appendHello(nil, BuildID{1}), false); err != nil {
		t.Error(err)
	}
}

func TestNoiseIsKeptForThePerson(t *testing.T) {
	text := []byte("T\x00h\x00e\x00r\x00e\x00 \x00i\x00s\x00")
	for name, said := range map[string][]byte{
		"UTF-16LE": text,
		"one byte": []byte("x"),
		"flood":    bytes.Repeat([]byte("noise "), 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			var noise *NoiseError
			if err := greet(t, said, true); !errors.As(err, &noise) {
				t.Fatalf("got %v", err)
			}
			if want := said[:min(len(said), maxNoise)]; !bytes.Equal(noise.Said, want) {
				t.Errorf("kept %d bytes of %d", len(noise.Said), len(said))
			}
		})
	}
}

func TestSilence(t *testing.T) {
	var noise *NoiseError
	if err := greet(t, nil, true); !errors.As(err, &noise) || len(noise.Said) != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ended at once: %v", err)
	}
	if err := greet(t, []byte(magic), true); !errors.As(err, &noise) {
		t.Errorf("ended within the hello: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := greet(t, nil, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("never spoke: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if err := greet(t, []byte("hm"), false); !errors.As(err, &noise) || string(noise.Said) != "hm" {
			t.Errorf("spoke and stood still: %v", err)
		}
	})
}

func TestOtherBuildIsRefused(t *testing.T) {
	var other *OtherBuildError
	if err := greet(t, appendHello(nil, BuildID{2}), false); !errors.As(err, &other) || other.Got != (BuildID{2}) {
		t.Errorf("other build: %v", err)
	}
	newer := appendHello(nil, BuildID{1})
	newer[len(magic)+1] = 2
	if err := greet(t, newer, false); !errors.As(err, &other) || other.Version != 2 {
		t.Errorf("other version: %v", err)
	}
}

func TestOwnBuildID(t *testing.T) {
	id, err := OwnBuildID()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseBuildID(id.String())
	if err != nil || again != id {
		t.Errorf("%v reads back as %v, %v", id, again, err)
	}
}

func FuzzHello(f *testing.F) {
	f.Add(appendHello(nil, BuildID{1}))
	f.Add([]byte(magic))
	f.Add([]byte("T\x00h\x00e\x00"))
	f.Fuzz(func(t *testing.T, said []byte) {
		err := greet(t, said, true)
		right := bytes.HasPrefix(said, appendHello(nil, BuildID{1}))
		if (err == nil) != right {
			t.Errorf("% x: %v", said, err)
		}
	})
}
