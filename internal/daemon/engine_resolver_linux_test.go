package daemon

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// An engine is left when its place says that it is another one, or none is there; not when it lets
// nobody in, which is for its clients to be told.
func TestIsStill(t *testing.T) {
	for system, want := range map[string]bool{"windows": true, "linux": false, "": false, "none": false} {
		path := filepath.Join(t.TempDir(), "s")
		if system != "none" {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Api-Version", "1.47")
				w.Header().Set("Ostype", system)
				_, _ = io.WriteString(w, "OK")
			}))
			server.Listener.Close()
			server.Listener = l
			server.Start()
			t.Cleanup(server.Close)
		}
		at, err := endpoint.Parse("unix:"+path, "linux")
		if err != nil {
			t.Fatal(err)
		}
		if got := isStillEngine(t.Context(), at); got != want {
			t.Errorf("%q: still there: %t", system, got)
		}
	}
}
