package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/stage"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// A diagnosis is what the doctor has found, by its codes.
type diagnosis map[string]struct {
	Verdict, Seen string
	Cure          []codes.Hint
}

// doctor examines the ward.
func (w *ward) doctor(ctx context.Context, t *testing.T, args ...string) diagnosis {
	t.Helper()
	return diagnosed(t, w.s.Host(ctx, append([]string{"doctor", "--json", "--distro", w.distro}, args...)...))
}

func diagnosed(t *testing.T, cmd *exec.Cmd) diagnosis {
	t.Helper()
	o := said(t, cmd)
	var told struct {
		Findings []struct {
			Code, Verdict, Seen string
			Cure                []codes.Hint
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &told); err != nil {
		t.Fatalf("doctor: %v: %+v", err, o)
	}
	d := diagnosis{}
	well := true
	for _, f := range told.Findings {
		d[f.Code] = struct {
			Verdict, Seen string
			Cure          []codes.Hint
		}{f.Verdict, f.Seen, f.Cure}
		well = well && f.Verdict != "failed"
	}
	if len(d) != 26 || well != (o.code == 0) && !lab.LateForWine(cmd) {
		t.Errorf("doctor: exit code %d with %s", o.code, o.stdout)
	}
	return d
}

// has wants a verdict, with words in what was seen and, if any, in the cure.
func (d diagnosis) has(t *testing.T, code, verdict, seen, cure string) {
	t.Helper()
	f := d[code]
	if f.Verdict != verdict || !strings.Contains(f.Seen, seen) || !strings.Contains(fmt.Sprint(f.Cure), cure) || (cure == "") != (len(f.Cure) == 0) {
		t.Errorf("%s is %+v, want %s, %q, %q", code, f, verdict, seen, cure)
	}
}

// failed are the codes that did.
func (d diagnosis) failed() (codes []string) {
	for code, f := range d {
		if f.Verdict == "failed" {
			codes = append(codes, code)
		}
	}
	return codes
}

// `doctor` finds nothing to mend beside a bridge that serves.
func TestDoctorFindsAllWell(t *testing.T) {
	t.Parallel()
	ctx, w := onWindowsWard(t)
	d := w.doctor(ctx, t)
	for code, f := range d {
		if f.Verdict != "ok" {
			t.Errorf("%s: %+v", code, f)
		}
	}
	for code, seen := range map[string]string{
		"DWB101": `wsl.exe is C:\Program Files\WSL\wsl.exe`, "DWB102": "2.9.4.0", "DWB103": w.distro, "DWB105": w.distro + " runs",
		"DWB203": "for linux containers", "DWB109": "is Windows'", "DWB303": "as this program is", "DWB401": wardSocket, "DWB402": "root:docker 0660", "DWB403": "alice may use it", "DWB404": "somebody listens there",
		"DWB502": "which runs linux containers", "DWB601": "it is not installed", "DWB602": "AppLocker",
	} {
		d.has(t, code, "ok", seen, "")
	}
	// The program that looks is one of the distro's user, and none that stays.
	agent, _ := agentOf(t, w.b)
	newcomer(t, w.linux(t), agent)
}

// What can be wrong in the distro, one after the other.
func TestDoctorInTheDistro(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	root := func(script string) {
		t.Helper()
		if out, err := w.s.VM.Command(ctx, w.distro, "root", "/bin/sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", script, err, out)
		}
	}
	root("chown root:root " + wardSocket)
	d := w.doctor(ctx, t)
	d.has(t, "DWB402", "failed", "it is root:root 0660, and the bridge has made it root:docker 0660", "stop --distro "+w.distro)
	d.has(t, "DWB403", "failed", "alice, the user of "+w.distro+", may not use it", "usermod -aG root alice")
	root("chown root:docker " + wardSocket)

	// A context for the socket is all it takes; without one docker is led elsewhere.
	w.does(ctx, t, "context", "rm")
	home := in(w.s, w.distro, "/home/"+stage.User+"/.docker")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(`{"currentContext":"else\u001b[2Jwhere"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	w.asRoot(ctx, t, "chown -R alice: "+aliceHome+"/.docker")
	d = w.doctor(ctx, t)
	d.has(t, "DWB501", "failed", "docker of alice uses the context else\ufffd[2Jwhere", "export DOCKER_HOST=unix://"+wardSocket)
	if failed := d.failed(); len(failed) != 1 {
		t.Errorf("failed: %q", failed)
	}
	o := said(t, w.s.Host(ctx, "doctor", "--distro", w.distro))
	w.does(ctx, t, "context", "create")
	w.doctor(ctx, t).has(t, "DWB501", "ok", "docker --context windows goes here; without it docker of alice uses the context else\ufffd[2Jwhere", "")
	harmless(t, strings.ReplaceAll(o.stdout+o.stderr, "\r", ""))
	contains(t, o.stdout, "failed   DWB501  ", "\n         why:    ", "\n         hint:   DWB501: to lead docker here, in a shell of ", "run: export DOCKER_HOST=")
	if o.code != 1 || !strings.Contains(o.stderr, "error: 1 of 26 checks failed") {
		t.Errorf("exit code %d: %s", o.code, o.stderr)
	}
}

// A distro that was stopped is looked at from outside, and stays so.
func TestDoctorStartsNoDistro(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	if err := w.s.VM.Terminate(w.distro); err != nil {
		t.Fatal(err)
	}
	w.happens(ctx, t, "distro-stopped", 1)
	d := w.doctor(ctx, t)
	d.has(t, "DWB105", "ok", w.distro+" is stopped", "")
	d.has(t, "DWB106", "unknown", "does not run", "")
	d.has(t, "DWB302", "failed", "its state is distro-stopped", "wsl --distro "+w.distro)
	d.has(t, "DWB403", "unknown", "", "")
	if _, err := w.s.VM.Pids(w.distro); err == nil {
		t.Error("it started the distro")
	}
}

// Without a bridge: what the engine is like, and that none runs.
func TestDoctorBeforeUp(t *testing.T) {
	ctx, w := openWindowsWard(t)
	d := w.doctor(ctx, t, "--pipe", w.s.EngineAt())
	d.has(t, "DWB204", "ok", "it runs linux containers, and is the one that was named", "")
	d.has(t, "DWB301", "failed", "no bridge of this user serves "+wardSocket+" in "+w.distro, "docker-wsl-bridge up")
	d = w.doctor(ctx, t) // looks for one for Windows containers
	d.has(t, "DWB204", "failed", "a linux engine", "docker-wsl-bridge up --pipe docker_engine")
	d = w.doctor(ctx, t, "--pipe", "nobody")
	d.has(t, "DWB201", "failed", "there is no such place", "net start docker")
	front, err := w.s.Wine.StartFront(ctx, map[string]string{"forbidding": "denied"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	// The number-one case, in all its forms: no group, one that Windows does not know, one of this user's.
	data := filepath.Join(w.s.Wine.DriveC(), "ProgramData", "docker")
	if err := os.MkdirAll(filepath.Join(data, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	for _, c := range []struct{ config, seen, cure string }{
		{`{}`, `has no entry "group"`, `"group": "docker-users"`},
		{`{"group":"docker-nobody"}`, `names the group docker-nobody, which Windows does not know`, "net localgroup docker-nobody /add"},
		{`{"group":"Users"}`, `names the group Users, which this session is in`, "net stop docker & net start docker"},
	} {
		if err := os.WriteFile(filepath.Join(data, "config", "daemon.json"), []byte(c.config), 0o644); err != nil {
			t.Fatal(err)
		}
		d := w.doctor(ctx, t, "--pipe", "forbidding")
		d.has(t, "DWB201", "ok", "forbidding is there", "")
		d.has(t, "DWB202", "failed", c.seen, c.cure)
	}
}

// A socket that a killed agent has left over is there, and nobody listens; an installed program's own
// build is told apart from that which looks.
func TestDoctorOfALeftOverSocket(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	const socket = runDir + "/left.sock"
	w.asRoot(ctx, t, "socat UNIX-LISTEN:"+socket+" - </dev/null >/dev/null 2>&1 & while [ ! -S "+socket+" ]; do :; done; kill -9 $!")
	t.Cleanup(func() { _ = os.Remove(in(w.s, w.distro, socket)) })
	d := w.doctor(ctx, t, "--socket", socket)
	d.has(t, "DWB301", "failed", "no bridge of this user serves "+socket, "docker-wsl-bridge up")
	d.has(t, "DWB401", "ok", socket+" is a socket", "")
	d.has(t, "DWB404", "failed", "nobody listens there", "docker-wsl-bridge up --distro "+w.distro+" --socket "+socket)
}

// A WSL whose new programs hang, as after standby, is found out in bounded time.
func TestDoctorOfAWSLThatHangs(t *testing.T) {
	t.Parallel()
	ctx, w := openWard(t)
	w.somebody(ctx, t)
	until(ctx, t, "the distro to run", func() bool {
		_, err := w.s.VM.Pids(w.distro)
		return err == nil
	})
	if err := w.s.VM.SetFaults(wsl.Faults{Silent: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	d := w.doctor(ctx, t)
	d.has(t, "DWB105", "ok", w.distro+" runs", "")
	d.has(t, "DWB106", "failed", "a program of "+w.distro+" did not start", "wsl --shutdown")
	noneLeft(t, "beside the engine", w.host)
}

// After standby what was started before lives on, and nothing new comes up (WSL#14005, #41286).
func TestDoctorOfAWedgedWSL(t *testing.T) {
	t.Parallel()
	ctx, w := onWard(t)
	if err := w.s.VM.SetFaults(wsl.Faults{Silent: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	d := w.doctor(ctx, t)
	d.has(t, "DWB106", "failed", "did not start", "wsl --shutdown")
	d.has(t, "DWB107", "failed", "the session of the bridge (pid ", "wsl --shutdown")
	d.has(t, "DWB302", "ok", "its agent answers", "")
}

// What is safe is done, each told before, and looked at again; what is not stays a hint.
func TestDoctorFixes(t *testing.T) {
	t.Parallel()
	ctx, w := onWindowsWard(t)
	w.does(ctx, t, "context", "rm")
	w.asRoot(ctx, t, "chown alice:alice "+wardSocket+" && chmod 0666 "+wardSocket)
	here := []string{"doctor", "--fix", "--distro", w.distro}
	o := said(t, w.s.Host(ctx, append(here, "--dry-run")...))
	contains(t, o.stdout, "fixing   DWB402  give "+wardSocket+" in "+w.distro+" to root:docker again, with mode 0660\n", "fixing   DWB501  make the docker context windows in "+w.distro+"\n")
	w.doctor(ctx, t).has(t, "DWB402", "failed", "it is alice:alice 0666", "stop --distro "+w.distro)
	if o = said(t, w.s.Host(ctx, here...)); o.code != 0 {
		t.Errorf("exit code %d: %s", o.code, o.stderr)
	}
	_, after, _ := strings.Cut(o.stdout, "fixing   DWB501")
	contains(t, after, "ok       DWB402  it is root:docker 0660, as the bridge has made it\n", "ok       DWB501  docker --context windows goes here")
	d := w.doctor(ctx, t, "--fix")
	if failed := d.failed(); len(failed) > 0 {
		t.Errorf("failed: %q", failed)
	}
	w.works(ctx, t)

	const left, elsewhere = runDir + "/left.sock", "/tmp/left.sock"
	for _, socket := range []string{left, elsewhere} {
		w.asRoot(ctx, t, "socat UNIX-LISTEN:"+socket+" - </dev/null >/dev/null 2>&1 & while [ ! -S "+socket+" ]; do :; done; kill -9 $!")
		t.Cleanup(func() { _ = os.Remove(in(w.s, w.distro, socket)) })
	}
	o = said(t, w.s.Host(ctx, append(here, "--socket", left, "--json")...))
	contains(t, o.stdout, `"fixes":[{"code":"DWB404","what":"remove `+left+` in `+w.distro+`, at which nobody listens","done":true}]`, "there is nothing at "+left)
	o = said(t, w.s.Host(ctx, append(here, "--socket", elsewhere, "--json")...))
	contains(t, o.stdout, `"fixes":[]`, "nobody listens there")
	if _, err := os.Lstat(in(w.s, w.distro, elsewhere)); err != nil {
		t.Error("what is not known to be ours was removed")
	}
}
