package install

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// With an administrator's rights a task is made although nothing can be
// written into the directory of the user's state, and the file that it was made from is gone.
func TestTaskOfAnAdministratorIsMadeElsewhere(t *testing.T) {
	exe, err := os.Executable()
	if err != nil || !IsElevated() {
		t.Fatalf("elevated: %v, %v", IsElevated(), err)
	}
	p := Place{SID: "S-1-5-21-1", State: exe + `\docker-wsl-bridge`} // below a file
	if err := p.AddTask(t.Context(), Task, []string{"run"}); err != nil {
		t.Fatal(err)
	}
	if !p.HasTask(t.Context(), false) {
		t.Error("there is no task")
	}
	if err := p.RemoveTask(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(p.ForAllUsers(ProgramFiles()).Programs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its directory is left: %v", err)
	}
}

// What is ours is put into its place, replaced, read and removed.
func TestFilesOfAPlace(t *testing.T) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p := PlaceAt(dir, dir+`\docker-wsl-bridge`, "S-1-5-21-1")
	if err := RemovePath(p.ProgramFile(Console), false); err != nil {
		t.Errorf("before there is a directory: %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1", "2"} { // the second one in the place of the first
		if err := errors.Join(PutProgram(exe, p.ProgramFile(Console)), p.WriteRecord(Record{Form: Task, Version: version})); err != nil {
			t.Fatal(err)
		}
		if r, err := p.ReadRecord(); err != nil || r == nil || r.Version != version {
			t.Errorf("%+v, %v", r, err)
		}
	}
	for _, f := range ExistingFiles(p.OwnedFiles()) {
		if err := RemovePath(f, false); err != nil {
			t.Error(err)
		}
	}
	for _, dir := range []string{p.Programs, p.State} {
		if err := RemovePath(dir, true); err != nil {
			t.Error(err)
		}
	}
	if left := ExistingFiles([]string{p.Programs, p.State}); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
