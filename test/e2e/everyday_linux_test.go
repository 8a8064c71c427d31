package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// everydayCases are those of the one bridge that go over each link of a configuration, in short forms.
var everydayCases = []struct {
	name string
	play play
}{
	{"ExitCodes", runExitCodes},
	{"OutputAfterInput", runOutputAfterInput},
	{"Exec", execBothWays(1 << 20)},
	{"Copy", copyBothWays(1 << 20)},
	{"Follow", followedToTheEnd},
	{"Attach", attachUpgraded},
	{"Build", buildKitBuild(1 << 20)},
	{"Parallel", parallelRuns(3)},
	{"KilledClient", killedInMidDownload(time.Minute)},
}

// everyday plays them in both distros and both directions at once, while two other links carry a bulk
// both ways. The way from Windows goes on over the link engine, back through the same carrier.
func (r *reversed) everyday(ctx context.Context, t *testing.T) {
	ways := []route{
		{name: "far", distro: two, host: "unix://" + runDir + "/far.sock"},
		{name: "linux", distro: one, host: "tcp://" + r.onLoopback(t, "reverse_docker")},
	}
	b := r.startBulk(ctx, t, len(ways)*len(everydayCases))
	var all sync.WaitGroup
	for _, way := range ways {
		all.Go(func() {
			t.Run(way.name, func(t *testing.T) {
				for _, e := range everydayCases {
					b.goOn()
					t.Run(e.name, func(t *testing.T) { e.play(ctx, t, r.s, way) })
				}
			})
		})
	}
	all.Wait()
	t.Run("KilledFollowers", func(t *testing.T) {
		conns := func(*testing.T, *stage.Stage) int { return int(r.conns.Load()) }
		followedByTheKilled(conns)(ctx, t, r.s, ways...)
	})
	b.end(t)
}

// bulks go to echoes and back, one over a link of each direction, portion by portion: what else is
// done at the time gets its share of the machine.
type bulks struct {
	portions []*portions
	moved    chan error
}

// startBulk waits for goOn, so many times.
func (r *reversed) startBulk(ctx context.Context, t *testing.T, times int) *bulks {
	t.Helper()
	client, engine := r.pair(t, "winio", "reverse_back")
	forth := r.dial(t, one, "echo")
	limit, _ := ctx.Deadline()
	for _, c := range []net.Conn{client, engine, forth} {
		_ = c.SetDeadline(limit)
	}
	go func() { _ = pass(engine, engine) }() // the client sees how it ends
	b := &bulks{moved: make(chan error, 2)}
	for _, c := range []halfclose.Conn{client, forth} {
		p := &portions{source: noise(1 << 40), size: bulk() / int64(2*times), more: make(chan struct{}, times)}
		b.portions = append(b.portions, p)
		go func() { b.moved <- echoedAll(c, p) }()
	}
	return b
}

func (b *bulks) goOn() {
	for _, p := range b.portions {
		p.more <- struct{}{}
	}
}

// end wants all to have come back.
func (b *bulks) end(t *testing.T) {
	t.Helper()
	for _, p := range b.portions {
		close(p.more)
	}
	for range b.portions {
		if err := <-b.moved; err != nil {
			t.Error(err)
		}
	}
}

// echoedAll says what is in r and wants it back.
func echoedAll(c halfclose.Conn, r io.Reader) error {
	sent := make(chan error, 1)
	want := sha256.New()
	go func() {
		_, err := io.Copy(struct{ io.Writer }{c}, io.TeeReader(r, want))
		sent <- errors.Join(err, c.CloseWrite())
	}()
	got := sha256.New()
	n, err := io.Copy(got, struct{ io.Reader }{c})
	if err = errors.Join(err, <-sent); err == nil && !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		err = fmt.Errorf("%d bytes came back, or others", n)
	}
	return err
}

// portions reads as much of source as there was more said, and ends when that is closed.
type portions struct {
	source io.Reader
	size   int64
	more   chan struct{}

	left int64
}

func (p *portions) Read(b []byte) (int, error) {
	if p.left == 0 {
		if _, ok := <-p.more; !ok {
			return 0, io.EOF
		}
		p.left = p.size
	}
	n, err := p.source.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	return n, err
}
