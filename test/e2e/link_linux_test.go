package e2e

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// service is a program on the Windows side that is no Docker: behind a named
// pipe, and at a socket of the distro through a bridge, until the test ends.
// It treats each connection as each does, and gives its own address.
func service(ctx context.Context, t *testing.T, s *stage.Stage, pipe string, each func(halfclose.Conn) error) (address string, b *stage.Bridge) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(dialogueTime))
			running.Go(func() {
				defer c.Close()
				if err := each(c.(halfclose.Conn)); err != nil {
					t.Errorf("%s: %v", pipe, err)
				}
			})
		}
	})
	front, err := s.Wine.StartFront(ctx, map[string]string{pipe: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), serve(ctx, t, s, "--kind", "raw", "--pipe", pipe, "--socket", runDir+"/"+pipe+".sock")
}

// pass carries one direction and its end.
func pass(dst, src halfclose.Conn) error {
	_, err := io.Copy(dst, src)
	return errors.Join(err, dst.CloseWrite())
}

// lead joins two connections until both directions have ended.
func lead(a, b halfclose.Conn) error {
	there := make(chan error, 1)
	go func() { there <- pass(b, a) }()
	return errors.Join(pass(a, b), <-there)
}

// A service that speaks first, gives back what it is told, and has the last
// word when it is told no more. What it says would be line ends, an end of
// file or an end of text to somebody who looks.
func TestRawEcho(t *testing.T) {
	lab.Need(t, lab.PartSocat)
	ctx, s, _ := onWindows(t)
	const greeting, farewell = "hello\r\n\x00\x1a\xff\xfe", "\x04\n\r\x00bye"
	address, b := service(ctx, t, s, "echo", func(c halfclose.Conn) error {
		_, err := io.WriteString(c, greeting)
		if err == nil {
			_, err = io.Copy(c, c)
		}
		if err == nil {
			_, err = io.WriteString(c, farewell)
		}
		return errors.Join(err, c.CloseWrite())
	})
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	large, err := io.ReadAll(noise(bulk() / 5))
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{"", string(every), string(large)} {
		talk := func(to string) outcome {
			// Left alone, socat gives an answer half a second after its input.
			return finish(t, s.Client(ctx, "socat", "-t", "60", "-", to), strings.NewReader(input))
		}
		want, got := talk("TCP:"+address), talk("UNIX-CONNECT:"+b.Socket.Socket)
		if want != (outcome{stdout: greeting + input + farewell}) {
			t.Errorf("direct: %d bytes for %d, exit code %d: %s", len(want.stdout), len(input), want.code, want.stderr)
		}
		if got != want { // nothing is evened out here
			t.Errorf("bridge: %d bytes for %d, or others, exit code %d: %s", len(got.stdout), len(input), got.code, got.stderr)
		}
	}
}

const (
	agentSocket = "/tmp/ssh-agent.sock" // the agent's own
	sshKey      = "/tmp/ssh-key"
)

// sshAgent starts one that its user reaches at agentSocket. It asks who
// connects, and root is as good as its user.
func sshAgent(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	cmd := s.Client(ctx, "ssh-agent", "-D", "-a", agentSocket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if err := os.Remove(in(s, stage.Debian, agentSocket)); err != nil {
			t.Error(err)
		}
	})
	until(ctx, t, "ssh-agent to listen", func() bool { return accepts(s, stage.Debian, agentSocket) })
}

// The keys of an SSH agent on Windows: listed, added and used in the distro.
func TestRawSSHAgent(t *testing.T) {
	lab.Need(t, lab.PartSSH)
	ctx, s, _ := onWindows(t)
	sshAgent(ctx, t, s)
	_, b := service(ctx, t, s, "openssh-ssh-agent", func(c halfclose.Conn) error {
		a, err := net.Dial("unix", in(s, stage.Debian, agentSocket))
		if err != nil {
			return err
		}
		defer a.Close()
		return lead(c, a.(halfclose.Conn))
	})
	with := func(socket, input string, argv ...string) outcome {
		t.Helper()
		return finish(t, s.Client(ctx, append([]string{"env", "SSH_AUTH_SOCK=" + socket}, argv...)...), strings.NewReader(input))
	}
	both := func(code int, input string, argv ...string) outcome {
		t.Helper()
		want, got := with(agentSocket, input, argv...), with(b.Socket.Socket, input, argv...)
		if got != want || got.code != code { // nothing is evened out here either
			t.Errorf("%q: %+v, direct %+v; want exit code %d", argv, got, want, code)
		}
		return got
	}
	both(1, "", "ssh-add", "-l") // 1: it has none
	must := func(o outcome) {
		t.Helper()
		if o.code != 0 {
			t.Fatalf("%+v", o)
		}
	}
	must(with("", "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "case", "-f", sshKey))
	must(with(b.Socket.Socket, "", "ssh-add", "-q", sshKey))
	must(with("", "", "rm", sshKey)) // the agent alone has it now
	contains(t, both(0, "", "ssh-add", "-l").stdout, "256 SHA256:", " case (ED25519)")

	const message = "to be signed"
	sign := []string{"ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", sshKey + ".pub"}
	signature := both(0, message, sign...).stdout // the same each time, with such a key
	if err := os.WriteFile(in(s, stage.Debian, sshKey+".sig"), []byte(signature), 0o644); err != nil {
		t.Fatal(err)
	}
	must(with("", message, "ssh-keygen", "-q", "-Y", "check-novalidate", "-n", "file", "-s", sshKey+".sig"))
	both(0, "", "ssh-add", "-q", "-D")
	both(1, "", "ssh-add", "-l")
	both(255, message, sign...)
}
