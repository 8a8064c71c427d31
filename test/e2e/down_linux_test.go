package e2e

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// onMortal opens a ward whose engine may die.
func onMortal(t *testing.T) (context.Context, *ward, *stage.Engine) {
	t.Helper()
	ctx, w := openWard(t)
	engine, err := w.s.StartEngine(ctx, t.TempDir(), "mortal-"+w.distro)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	w.up(ctx, t, "--pipe", engine.Pipe)
	return ctx, w, engine
}

// An engine that is killed takes its clients along and nothing else; while it
// is down clients are told so at once, and when it is back they are served.
func TestEngineKilledAndBack(t *testing.T) {
	t.Parallel()
	ctx, w, engine := onMortal(t)
	run := []string{"run", "-d", "--network", "none", "--name", "mortal", engine.Docker.Image, "sh", "-c", "echo first; sleep 600"}
	w.route().must(ctx, t, w.s, run...)
	client := follow(ctx, t, w.s, w.route(), "logs", "-f", "mortal")
	client.next(t)
	died, ended := time.Now(), ends(client)
	if err := engine.Kill(); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, <-ended, died)
	for range 3 { // for good, as far as anybody can tell
		began := time.Now()
		status, message := hears(t, w.say(t, infoRequest), "GET")
		took := time.Since(began)
		if status != http.StatusServiceUnavailable || !strings.Contains(message, engine.Pipe) || !strings.Contains(message, "net start docker") || took > bound(time.Second) {
			t.Errorf("%d %q after %v", status, message, took)
		}
		t.Logf("answered %v after the question: %d", took.Round(time.Millisecond), status)
	}
	o := w.route().run(ctx, t, w.s, nil, "ps")
	if o.code != 1 || !strings.Contains(o.stderr, "Error response from daemon: the Docker engine of Windows is not running") {
		t.Errorf("docker ps: %+v", o)
	}
	if err := engine.Start(ctx); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.works(ctx, t)
	if took := time.Since(began); took > atOnce {
		t.Errorf("served again %v after the engine was back", took)
	}
	if w.happened("lost") > 0 {
		t.Errorf("the carrier was given up: %s", w.b.Output())
	}
}

// An ending is how a follower has come to its end, and when.
type ending struct {
	lines []string
	err   error
	at    time.Time
}

func ends(f *follower) <-chan ending {
	ended := make(chan ending, 1)
	go func() {
		lines, err := f.rest()
		ended <- ending{lines, err, time.Now()}
	}()
	return ended
}

// wantEnded wants a follower to have ended at once after began, however: the direct
// route says no more.
func wantEnded(t *testing.T, e ending, began time.Time) {
	t.Helper()
	took := e.at.Sub(began)
	if len(e.lines) > 0 || took > atOnce {
		t.Errorf("the client's stream ended after %v with %q, %v", took, e.lines, e.err)
	}
	t.Logf("the client's stream had ended %v after the fault (%v)", took.Round(time.Millisecond), e.err)
}

// A pipe whose server accepts and never answers may be a slow engine: its
// clients wait, nobody else does, and nothing stays of those who give up.
func TestEngineThatNeverAnswers(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	deaf, pipe := plainEngineOn(ctx, t, w.s, "deaf-"+w.distro)
	w.up(ctx, t, "--pipe", pipe, "--kind", "raw")
	waiting := w.say(t, infoRequest)
	engine := deaf.asked(ctx, t, infoRequest)
	const longer = 4 * time.Second // than anything is given that is frozen
	_ = waiting.SetReadDeadline(time.Now().Add(longer))
	if n, err := waiting.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Errorf("who waits for a slow engine got %d bytes, %v", n, err)
	}
	other := w.say(t, infoRequest)
	second := deaf.asked(ctx, t, infoRequest)
	if _, err := io.WriteString(second, "answer"); err != nil {
		t.Fatal(err)
	}
	_ = other.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(other, make([]byte, len("answer"))); err != nil {
		t.Errorf("another client: %v", err)
	}
	waiting.Close()
	_ = engine.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, engine); err != nil {
		t.Errorf("the engine's connection stays when its client has gone: %v", err)
	}
}
