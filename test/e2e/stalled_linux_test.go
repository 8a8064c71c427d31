package e2e

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/halfclose"
)

// Clients that open and stall slow the others down by less than two, through
// everything: half of them don't read an answer without end, half of them never
// come to the end of a request's head.
//
// The figures are medians of round trips on one connection, since a new one to a
// pipe that is busy for a moment takes 10 ms more (go-winio asks again that
// often); rounds with and without stalled clients take turns, and the best of
// each are compared, since a busy machine only adds. Where it adds too much there are
// more of them.
func TestStalledClientsSlowNobodyDown(t *testing.T) {
	ctx, s, _ := onWindows(t)
	const socket, stalled, trips, slowerBy = runDir + "/stalled.sock", 50, 300, 2
	engine := startPlainEngine(t, "tcp", "127.0.0.1:0")
	front, err := s.Wine.StartFront(ctx, map[string]string{"stalled": engine.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	engine.answerPing(t)
	serve(ctx, t, s, "--pipe", "stalled", "--socket", socket)
	const question = "GET /_ping HTTP/1.1\r\n"
	client, atEngine := ask(ctx, t, s, engine, socket, question)
	limit, _ := ctx.Deadline()
	_ = client.SetDeadline(limit)
	_ = atEngine.SetDeadline(limit)
	go func() { _, _ = io.Copy(struct{ io.Writer }{atEngine}, struct{ io.Reader }{atEngine}) }()

	stall := func() (release func()) {
		var conns []halfclose.Conn
		for i := range stalled {
			c, e := ask(ctx, t, s, engine, socket, "GET /"+[]string{"flood", "silence"}[i%2]+" HTTP/1.1\r\n")
			conns = append(conns, c, e)
			if i%2 == 0 {
				fillUp(ctx, t, e)
			} else if _, err := io.WriteString(c, "X-Never: ending\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		return func() {
			for _, c := range conns {
				c.Close()
			}
		}
	}
	var alone, among []time.Duration
	slower := func() bool { return slices.Min(among) > slowerBy*slices.Min(alone) }
	const rounds, most = 3, 10
	for i := 0; i < rounds || i < most && slower(); i++ {
		alone = append(alone, medianTrip(t, client, question, trips))
		release := stall()
		among = append(among, medianTrip(t, client, question, trips))
		release()
		t.Logf("a round trip takes %v, beside %d stalled clients %v", alone[i], stalled, among[i])
	}
	if slower() {
		t.Errorf("a round trip takes %v beside %d stalled clients, and %v without", among, stalled, alone)
	}
}

// fillUp sends an answer to a client that does not read until nothing more goes.
func fillUp(ctx context.Context, t *testing.T, engine halfclose.Conn) {
	t.Helper()
	const still = 20 * time.Millisecond
	block := make([]byte, 64<<10)
	for ctx.Err() == nil {
		_ = engine.SetWriteDeadline(time.Now().Add(still))
		if n, err := engine.Write(block); err != nil && n == 0 {
			return
		}
	}
}

func medianTrip(t *testing.T, c halfclose.Conn, question string, n int) time.Duration {
	t.Helper()
	took := make([]time.Duration, n)
	answer := make([]byte, len(question))
	for i := range took {
		began := time.Now()
		if _, err := io.WriteString(c, question); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, answer); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[n/2]
}
