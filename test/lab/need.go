package lab

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A Part is something of the machine that a test or the demo can't do without.
type Part int

// The parts. Wine and PartDockerd mean the programs, not a running one.
const (
	PartRoot     Part = iota // root with CAP_SYS_ADMIN: namespaces, mounts, dockerd
	PartWine                 // a 64-bit Wine
	PartDockerd              // dockerd and its containerd
	PartDocker               // the docker command
	PartBusybox              // a static busybox
	PartNsenter              // nsenter of util-linux
	PartSocat                // socat
	PartIP                   // ip of iproute2
	PartBuildKit             // a /usr/bin/docker that does BuildKit without buildx
	PartCompose              // docker-compose, in /usr, which the distros share
	PartPython               // Python's docker library, there too
	PartSSH                  // ssh-agent, ssh-add and ssh-keygen
	PartNpm                  // npm, for clients in JavaScript
)

// parts says how each part is looked for: a check of its own, or the programs
// that must be there.
var parts = map[Part]struct {
	name     string
	programs []string
	check    func() error
}{
	PartRoot:     {name: "root with CAP_SYS_ADMIN", check: checkRoot},
	PartWine:     {name: "wine (64-bit)", check: checkWine},
	PartDockerd:  {name: "dockerd", programs: []string{"dockerd", "containerd", "runc"}},
	PartDocker:   {name: "the docker command", programs: []string{"docker"}},
	PartBusybox:  {name: "busybox-static", check: checkBusybox},
	PartNsenter:  {name: "nsenter", programs: []string{"nsenter"}},
	PartSocat:    {name: "socat", programs: []string{"socat"}},
	PartIP:       {name: "ip (iproute2)", programs: []string{"ip"}},
	PartBuildKit: {name: "the docker command of Debian 12 at /usr/bin/docker", check: checkBuildKit},
	PartCompose:  {name: "docker-compose", programs: []string{"/usr/bin/docker-compose"}},
	PartPython:   {name: "python3-docker", check: checkPython},
	PartSSH:      {name: "openssh-client", programs: []string{"ssh-agent", "ssh-add", "ssh-keygen"}},
	PartNpm:      {name: "npm", programs: []string{"npm"}},
}

// Need skips the test when a part is missing, and says which. Where CI=true a
// missing part is a failure: a skipped proof must not look like a passed one.
func Need(t testing.TB, list ...Part) {
	t.Helper()
	err := Missing(list...)
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// Missing names every part of the list that this machine lacks, and the
// command that cures it. It is nil when all are there.
func Missing(list ...Part) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("find the test machine's parts: they exist on linux only: %w", errors.ErrUnsupported)
	}
	var gone []string
	install := false
	for _, p := range list {
		if have(p) == nil {
			continue
		}
		gone = append(gone, parts[p].name)
		install = install || p != PartRoot
	}
	if gone == nil {
		return nil
	}
	cure := "run it as root"
	if install {
		cure = "run, as root: " + filepath.Join(Root(), "test", "setup")
	}
	return fmt.Errorf("missing here: %s (%s)", strings.Join(gone, ", "), cure)
}

func have(p Part) error {
	part := parts[p]
	if part.check != nil {
		return part.check()
	}
	for _, name := range part.programs {
		if _, err := program(name); err != nil {
			return err
		}
	}
	return nil
}

// EngineDir is the directory of another Docker engine with its clients, which take
// the place of the machine's own (make test-modern); "" means none.
func EngineDir() string { return os.Getenv("DWB_ENGINE_DIR") }

// program finds an executable. Root's PATH lacks the sbin directories when a
// plain su has kept the user's PATH, and dockerd and runc live there.
func program(name string) (string, error) {
	if dir := EngineDir(); dir != "" && !filepath.IsAbs(name) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find %s: %w", name, exec.ErrNotFound)
}

// checkRoot looks for CAP_SYS_ADMIN (bit 21) and not only for uid 0: root of
// an unprivileged container can neither mount nor start dockerd.
func checkRoot() error {
	const sysAdmin = 1 << 21
	if os.Geteuid() != 0 {
		return errors.New("check root: not root")
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("check root: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		var caps uint64
		if _, err := fmt.Sscanf(line, "CapEff: %x", &caps); err == nil && caps&sysAdmin == 0 {
			return errors.New("check root: no CAP_SYS_ADMIN")
		}
	}
	return nil
}

func checkWine() error {
	if _, err := loader(); err != nil {
		return err
	}
	_, err := serverProgram()
	return err
}

// checkBuildKit asks for the last version that had a BuildKit client of its own.
func checkBuildKit() error {
	said, err := exec.Command("/usr/bin/docker", "--version").Output()
	if err != nil {
		return fmt.Errorf("check docker: %w", err)
	}
	if !strings.HasPrefix(string(said), "Docker version 20.10.") {
		return errors.New("check docker: another version than 20.10")
	}
	return nil
}

// checkBusybox asks for a static one: the dynamic one runs in no container.
func checkBusybox() error {
	path, err := program("busybox")
	if err != nil {
		return err
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("check busybox: %w", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("check busybox: %s is not static", path)
		}
	}
	return nil
}

// checkPython looks for Debian's library beside Debian's Python: what somebody
// has in a Python of his own is not in the distros.
func checkPython() error {
	if _, err := program("/usr/bin/python3"); err != nil {
		return err
	}
	if _, err := os.Stat("/usr/lib/python3/dist-packages/docker/client.py"); err != nil {
		return fmt.Errorf("check python3-docker: %w", err)
	}
	return nil
}

// loader finds the 64-bit Wine loader. Debian's /usr/bin/wine is a script that
// writes to stderr about a missing wine32, which no test needs, so the program
// behind it comes first.
func loader() (string, error) {
	for _, name := range []string{"/usr/lib/wine/wine64", "wine64", "wine"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find wine: %w", exec.ErrNotFound)
}

func serverProgram() (string, error) {
	for _, name := range []string{"/usr/lib/wine/wineserver64", "wineserver64", "wineserver"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find wineserver: %w", exec.ErrNotFound)
}
