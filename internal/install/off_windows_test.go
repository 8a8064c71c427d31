package install

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// The Run key's value is there and right; Task Manager's switch beside it, or a policy, says that it is not obeyed.
func TestARunKeyThatIsSwitchedOff(t *testing.T) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p := PlaceAt(dir, dir+`\docker-wsl-bridge`, "S-1-5-21-1")
	if err := os.MkdirAll(p.Programs, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Console, Windowed} {
		if err := os.WriteFile(p.ProgramFile(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := Record{Form: RunKey, Args: []string{"run"}}
	if err := setRun(CommandLine(p.ProgramFile(Windowed), r.Args)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := RemoveRunKey(); err != nil {
			t.Error(err)
		}
	}()
	check := func(want string) {
		t.Helper()
		var off *OffError
		if err := p.CheckRecord(t.Context(), r, Registered{}); errors.As(err, &off) != (want != "") || off != nil && !strings.Contains(off.Text, want) || off == nil && err != nil {
			t.Errorf("%v, want %q", err, want)
		}
	}
	check("")
	approved, _, err := registry.CreateKey(registry.CURRENT_USER, approvedPath, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer approved.Close()
	for first, want := range map[byte]string{2: "", 3: "Task Manager", 6: "", 7: "Task Manager"} {
		if err := approved.SetBinaryValue(strings.ToUpper(RunValue), append([]byte{first}, make([]byte, 11)...)); err != nil {
			t.Fatal(err)
		}
		check(want)
	}
	if err := approved.DeleteValue(RunValue); err != nil {
		t.Fatal(err)
	}
	check("")
	policy, _, err := registry.CreateKey(registry.CURRENT_USER, runPolicyPath, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer policy.Close()
	if err := policy.SetDWordValue(runPolicyValue, 1); err != nil {
		t.Fatal(err)
	}
	check("policy")
	if err := policy.DeleteValue(runPolicyValue); err != nil {
		t.Fatal(err)
	}
	check("")
}
