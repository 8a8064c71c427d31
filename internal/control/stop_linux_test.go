package control

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
)

// An instance that ends between the connection and its answer, as one of several links of a bridge that
// is told to stop at another of them, has ended.
func TestStopOfAnInstanceThatEndsJustNow(t *testing.T) {
	at, err := endpoint.PrivateEndpoint(runDir(t), place.ID())
	if err != nil {
		t.Fatal(err)
	}
	l, err := at.ListenPrivate()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer l.Close()
		if c, err := l.Accept(); err == nil {
			_, _ = c.Read(make([]byte, 4096)) // the request
			l.Close()
			c.Close()
		}
	}()
	if err := StopInstance(t.Context(), at); err != nil {
		t.Error(err)
	}
}

// A link in the place of the directory leads neither who records that he runs nor who removes such a record elsewhere.
func TestLinksLeadNoRecordElsewhere(t *testing.T) {
	elsewhere := runDir(t)
	killed := filepath.Join(elsewhere, place.ID()+".1.json") // of one that runs no more, else it would be removed
	if err := writeInstanceRecord(killed, instanceRecord{PID: 1, Distro: place.Distro, Socket: place.Socket}); err != nil {
		t.Fatal(err)
	}
	dir := runDir(t)
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o700), os.Symlink(elsewhere, dir)); err != nil {
		t.Fatal(err)
	}
	none(t, dir)
	if i, err := OpenInstance(t.Context(), dir, place, handler(nil)); err == nil {
		t.Errorf("open through a link: %v", i.Close())
	}
	if left, err := filepath.Glob(filepath.Join(elsewhere, "*.json*")); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
}
