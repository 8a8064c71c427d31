package relay

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// bytesOnly is a connection without half-close, as a pipe in byte mode is.
type bytesOnly struct{ net.Conn }

// The one rule for such an engine: the end of input is not passed on, and costs the answer
// nothing, however long it takes; the end of the answer ends the connection.
func TestEngineWithoutHalfCloseAnswersAfterTheEndOfInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, agentConn := pair(t)
		agentStream, hostStream := pair(t)
		hostConn, engine := pair(t)
		over := make(chan struct{}, 2)
		go func() { New(agentConn, agentStream, Clients).Run(); over <- struct{}{} }()
		go func() { New(bytesOnly{hostConn}, hostStream, Engines).Run(); over <- struct{}{} }()

		if _, err := io.WriteString(client, "request"); err != nil {
			t.Fatal(err)
		}
		client.CloseWrite()
		if _, err := io.ReadFull(engine, make([]byte, len("request"))); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := engine.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("the engine's input ended: %v", err)
		default:
		}
		if _, err := io.WriteString(engine, "answer"); err != nil {
			t.Fatal(err)
		}
		engine.CloseWrite()
		if got, err := io.ReadAll(client); string(got) != "answer" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		<-over
		<-over
		if err := <-ended; err != io.EOF {
			t.Errorf("then the engine's connection ended as %v", err)
		}
	})
}
