package e2e

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
)

// A report of Windows has what runs there and what it has logged.
func TestReportOnWindows(t *testing.T) {
	ctx, s, _ := onWindows(t)
	file := filepath.Join(s.Wine.DriveC(), "report.zip")
	o := said(t, s.Windows(ctx, "report", "--output", `C:\report.zip`))
	t.Cleanup(func() { _ = os.Remove(file) })
	if o.code != 0 || strings.TrimSpace(o.stdout) != `C:\report.zip` {
		t.Fatalf("%+v", o)
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	texts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		texts[f.Name] = string(b)
		if strings.HasPrefix(f.Name, "logs/"+stage.Debian+"-") {
			texts["log"] += string(b)
		}
	}
	for name, want := range map[string]string{
		"versions.txt": "docker-wsl-bridge 0.", "status.json": `"works": true`, "streams.json": `"state": "ready"`, "doctor.txt": "ok       DWB301",
		"config.txt": "[[link]]", "log": `msg="bridge starts"`, "README.txt": "sent nowhere",
	} {
		if !strings.Contains(texts[name], want) {
			t.Errorf("%s has no %s: %.2000s", name, want, texts[name])
		}
	}
}
