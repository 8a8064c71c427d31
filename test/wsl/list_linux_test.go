package wsl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl"
)

// machine starts a VM of the test's own.
func machine(t *testing.T, idle time.Duration, distros ...wsl.Distro) *wsl.VM {
	t.Helper()
	lab.Need(t, lab.PartRoot, lab.PartBusybox)
	vm, err := wsl.Start(deadline(t), wsl.Options{
		Dir: filepath.Join(t.TempDir(), "vm"), Program: shared.program, Idle: idle, Distros: distros, Stderr: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := vm.Close(); err != nil {
			t.Error(err)
		}
	})
	return vm
}

// three are a distro that runs, one that does not yet, and one of WSL 1.
var three = []wsl.Distro{
	{Name: "Old", Version: 1, User: "bob"},
	{Name: "Main_long-name.1", Kind: wsl.Busybox, Default: true},
	{Name: "Later", Kind: wsl.Busybox, User: "carol", Stopped: true},
}

const (
	usage    = "Copyright (c) Microsoft Corporation. All rights reserved.\r\n"
	noDistro = "Windows Subsystem for Linux has no installed distributions.\r\n"
	noWSL1   = "WSL1 is not supported with your current machine configuration.\r\nPlease enable the \"Windows Subsystem for Linux\" optional component to use WSL1.\r\n"
)

// --list in all its forms: layout, order, what is left out, exit codes.
func TestList(t *testing.T) {
	const all, running = "Main_long-name.1\r\nOld\r\nLater\r\n", "Main_long-name.1\r\n"
	const header = "Windows Subsystem for Linux Distributions:\r\n"
	const table = "  NAME                STATE           VERSION\r\n" +
		"* Main_long-name.1    Running         2\r\n" +
		"  Old                 Stopped         1\r\n" +
		"  Later               Stopped         2\r\n"
	const unknown = "Invalid command line argument: --frob\r\nPlease use 'wsl.exe --help' to get a list of supported arguments.\r\nError code: Wsl/E_INVALIDARG\r\n"
	marked := func(names string) string { return header + strings.Replace(names, ".1\r\n", ".1 (Default)\r\n", 1) }
	cases := []struct {
		line, stdout string
		code         uint32
	}{
		{"-l", marked(all), 0},
		{"--list --all", marked(all), 0},
		{"--list --running", marked(running), 0},
		{"-l -q", all, 0},
		{"-l --quiet --all", all, 0},
		{"-l --running -q", running, 0},
		{"-l -v", table, 0},
		{"--list --verbose --all", table, 0},
		{"-l -v --running", table, 0}, // WSL does not heed it there
		{"-l -q -v", usage, own},
		{"-l -qv", usage, own},
		{"-l --all --running", usage, own},
		{"-l -v -o", usage, own},
		{"-l --frob", unknown, own},
		{"-l -q --frob", unknown, own},
	}
	vm := machine(t, 0, three...)
	each(t, func(t *testing.T, c client) {
		c.vm = vm
		for _, test := range cases {
			r := c.raw(t, "wsl.exe "+test.line).run(t, "")
			text := r.stdout
			if test.stdout == usage {
				text = text[:min(len(usage), len(text))]
			}
			if text != test.stdout || r.code != test.code || r.stderr != "" {
				t.Errorf("%s: %d, stderr %q\n%s\nwant %d\n%s", test.line, r.code, r.stderr, r.stdout, test.code, test.stdout)
			}
		}
		s := c.command(t, "-l", "-v")
		s.cmd.Env = append(s.cmd.Env, "WSL_UTF8=0")
		if r := s.run(t, ""); r.stdout != utf16le(table) {
			t.Errorf("in UTF-16: %q", r.stdout)
		}
	})
}

// Nothing but a launch starts a distro, and lists tell whether one runs.
func TestListsTellWhatRuns(t *testing.T) {
	vm := machine(t, 0, three...)
	each(t, func(t *testing.T, c client) {
		c.vm = vm
		state := func(names string) {
			t.Helper()
			if r := c.do(t, "-l", "--running", "-q"); strings.ReplaceAll(r.stdout, "\r\n", " ") != names || r.code != 0 {
				t.Errorf("running are %q, %d, want %q", r.stdout, r.code, names)
			}
		}
		state("Main_long-name.1 ")
		for _, args := range [][]string{{"--status"}, {"--version"}, {"-l"}, {"--terminate", "Later"}, in("Old", "true"), in("nope", "true")} {
			c.do(t, args...)
		}
		state("Main_long-name.1 ")
		if r := c.do(t, in("later", "echo", "up")...); r.stdout != "up\n" {
			t.Errorf("launch in a stopped distro: %q, %q", r.stdout, r.stderr)
		}
		state("Main_long-name.1 Later ")
		c.do(t, "--terminate", "Main_long-name.1")
		state("Later ")
		c.do(t, "-t", "Later")
		state("")
		if r := c.do(t, "--list", "--running"); r.stdout != "There are no running distributions.\r\n" || r.code != own {
			t.Errorf("none running: %q, %d", r.stdout, r.code)
		}
		if r := c.do(t, "--terminate", "nope"); r.stdout != notFound || r.code != own {
			t.Errorf("terminate an unknown distro: %q, %d", r.stdout, r.code)
		}
		if r := c.do(t, "-e", "true"); r.code != 0 { // the default one, for the next round
			t.Error(r)
		}
	})
}

// There is no WSL 1 here. A distro of its own is listed, and a launch in
// it is refused as on a Windows that lacks that component.
func TestDistroOfWSL1IsRefused(t *testing.T) {
	vm := machine(t, 0, three...)
	each(t, func(t *testing.T, c client) {
		c.vm = vm
		r := c.do(t, in("Old", "echo", "here")...)
		if want := noWSL1 + "Error code: Wsl/Service/CreateInstance/WSL_E_WSL1_NOT_SUPPORTED\r\n"; r.stdout != want || r.code != own || r.stderr != "" {
			t.Errorf("got %q, %q, %d", r.stdout, r.stderr, r.code)
		}
	})
}

// A WSL without any distro.
func TestNoDistros(t *testing.T) {
	vm := machine(t, 0)
	each(t, func(t *testing.T, c client) {
		c.vm = vm
		for _, test := range []struct {
			line, stdout string
			code         uint32
		}{
			{"-l", noDistro, own},
			{"-l -v", noDistro, own},
			{"-l -q", "", 0},
			{"-l --running -q", "", 0},
			{"-l --running", "There are no running distributions.\r\n", own},
			{"-e true", noDistro, own},
			{"-d Debian -e true", notFound, own},
			{"--status", "Default Version: 2\r\n" + noWSL1, 0},
			{"--shutdown", "", 0},
		} {
			r := c.raw(t, "wsl.exe "+test.line).run(t, "")
			text := r.stdout
			if test.stdout == noDistro {
				text = text[:min(len(noDistro), len(text))]
			}
			if text != test.stdout || r.code != test.code {
				t.Errorf("%s: %q, %d", test.line, r.stdout, r.code)
			}
		}
	})
}

// What is told about WSL itself.
func TestStatusAndVersion(t *testing.T) {
	each(t, func(t *testing.T, c client) {
		if r := c.do(t, "--status"); r.stdout != "Default Distribution: "+debian+"\r\nDefault Version: 2\r\n"+noWSL1 || r.code != 0 {
			t.Errorf("status: %q, %d", r.stdout, r.code)
		}
		for _, arg := range []string{"--version", "-v"} {
			r := c.do(t, arg)
			var names []string
			for l := range strings.Lines(r.stdout) {
				name, value, _ := strings.Cut(strings.TrimSuffix(l, "\r\n"), ": ")
				if names = append(names, name); value == "" {
					t.Errorf("%s: line %q", arg, l)
				}
			}
			if want := "WSL,Kernel,WSLg,MSRDC,Direct3D,DXCore,Windows"; strings.ReplaceAll(strings.Join(names, ","), " version", "") != want || r.code != 0 {
				t.Errorf("%s: %q, %d", arg, r.stdout, r.code)
			}
		}
	})
}

// A distro stops when its last wsl.exe has been gone for a while, with
// all that still runs in it, and not before.
func TestIdleDistroStops(t *testing.T) {
	const idle = 250 * time.Millisecond
	vm := machine(t, idle, wsl.Distro{Name: "Main", Kind: wsl.Busybox, Default: true, Stopped: true})
	running := func() bool {
		list, err := vm.Pids("Main")
		return err == nil && len(list) > 0
	}
	each(t, func(t *testing.T, c client) {
		c.vm = vm
		p := c.command(t, "-e", "sh", "-c", "setsid sleep 609 >/dev/null 2>&1 & echo ready; read x").start(t)
		line(t, p.stdout)
		if r := c.do(t, "-e", "true"); r.code != 0 {
			t.Error(r)
		}
		nothing(t, p.stdout)
		nothing(t, p.stdout) // longer than the clock, in all
		if !running() {
			t.Error("stopped while wsl.exe was there")
		}
		leaving := time.Now()
		fmt.Fprintln(p.stdin)
		if r := p.wait(t); r.code != 0 {
			t.Errorf("exit code %d", r.code)
		}
		until(t, "the distro's end", func() bool { return c.do(t, "-l", "--running", "-q").stdout == "" })
		if took := time.Since(leaving); took < idle {
			t.Errorf("it stopped after %v", took)
		}
		if running() {
			t.Error("processes are left")
		}
		if r := c.do(t, "-e", "echo", "again"); r.stdout != "again\n" {
			t.Errorf("the next launch: %q", r.stdout)
		}
		until(t, "the distro's end", func() bool { return !running() })
	})
}

// The registry tells what is installed, as far as WSL keeps it there:
// which are of WSL 2 is in Flags, and which run is not in it at all.
func TestRegistryTellsWhatIsInstalled(t *testing.T) {
	lab.Need(t, lab.PartWine, lab.PartRoot, lab.PartBusybox)
	w := shared.wine
	query := func(args ...string) string {
		t.Helper()
		out, err := w.Command(deadline(t), "reg.exe", append([]string{"query"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("reg query %s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	load := func(vm *wsl.VM) {
		t.Helper()
		file := filepath.Join(w.DriveC(), "lxss.reg")
		if err := os.WriteFile(file, vm.Registry(), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := w.Command(deadline(t), "reg.exe", "import", `C:\lxss.reg`).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	vm := machine(t, 0, three...)
	load(vm)
	c := clients(t)[0]
	c.vm = vm
	ids := map[string]string{}
	for l := range strings.Lines(query(wsl.RegistryKey)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(l), wsl.RegistryKey+`\`); ok {
			values := query(wsl.RegistryKey + `\` + id)
			for _, d := range three {
				if strings.Contains(values, "DistributionName    REG_SZ    "+d.Name+"\r\n") {
					ids[d.Name] = id
				}
			}
		}
	}
	for name, want := range map[string][]string{
		"Main_long-name.1": {"Flags    REG_DWORD    0xf\r\n", "DefaultUid    REG_DWORD    0x0\r\n", "VhdFileName    REG_SZ    ext4.vhdx\r\n"},
		"Old":              {"Flags    REG_DWORD    0x7\r\n", "DefaultUid    REG_DWORD    0x3e8\r\n"},
		"Later":            {"Flags    REG_DWORD    0xf\r\n", "DefaultUid    REG_DWORD    0x3e8\r\n"},
	} {
		values := query(wsl.RegistryKey + `\` + ids[name])
		for _, w := range append(want, "State    REG_DWORD    0x1\r\n", "Version    REG_DWORD    0x2\r\n", `BasePath    REG_SZ    C:\Users\standin\AppData\Local\wsl\`+ids[name]+"\r\n") {
			if !strings.Contains(values, w) {
				t.Errorf("%s has no %q in\n%s", name, w, values)
			}
		}
	}
	if values := query(wsl.RegistryKey, "/v", "DefaultDistribution"); len(ids) != 3 || !strings.Contains(values, ids["Main_long-name.1"]) {
		t.Errorf("distros %v, default one %s", ids, values)
	}
	for _, line := range []string{"wsl.exe " + ids["Later"] + " -e id -un", "wsl.exe --distribution-id " + ids["Later"] + " -e id -un"} {
		if r := c.raw(t, line).run(t, ""); r.stdout != "carol\n" {
			t.Errorf("%s: %q, %q", line, r.stdout, r.stderr)
		}
	}
	load(shared.vm)
	if values := query(wsl.RegistryKey, "/s"); strings.Contains(values, "Later") || !strings.Contains(values, debian) {
		t.Errorf("another VM's registry does not replace the first:\n%s", values)
	}
}
