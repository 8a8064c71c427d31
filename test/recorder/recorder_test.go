package recorder_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/recorder"
)

func start(t *testing.T) *recorder.Recorder {
	t.Helper()
	r, err := recorder.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// A client that looks at any of the three places sees a Windows engine, and an
// error that it can show where there is nothing behind.
func TestSaysWindows(t *testing.T) {
	r := start(t)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/_ping", 200, "OK"},
		{"/version", 200, `"Os":"windows"`},
		{"/v1.41/info", 200, `"OSType":"windows"`},
		{"/v1.41/containers/json", 200, "[]"},
		{"/v1.41/networks/json", 404, `"message":`},
		{"/volumes/_ping", 404, `"message":`},
	} {
		resp, err := http.Get("http://" + r.Addr + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %s %s %v", c.path, resp.Status, body, err)
		}
		if resp.Header.Get("Ostype") != "windows" || resp.Header.Get("Api-Version") == "" || resp.Header.Get("Server") == "" {
			t.Errorf("%s: headers %v", c.path, resp.Header)
		}
	}
}

func TestRemembersRequests(t *testing.T) {
	r := start(t)
	resp, err := http.Post("http://"+r.Addr+"/v1.41/containers/create?name=x", "application/json", strings.NewReader(`{"Image":"y"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var created struct{ Id string }
	if err := json.NewDecoder(resp.Body).Decode(&created); err != nil || resp.StatusCode != http.StatusCreated || len(created.Id) != 64 {
		t.Errorf("%s, id %q, %v", resp.Status, created.Id, err)
	}
	asked := r.Requests()
	if len(asked) != 1 {
		t.Fatalf("%d requests", len(asked))
	}
	got := asked[0]
	if got.Method != "POST" || got.Path != "/v1.41/containers/create?name=x" || string(got.Body) != `{"Image":"y"}` ||
		got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("remembered %+v", got)
	}
}
