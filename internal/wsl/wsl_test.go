package wsl

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	const (
		installed = `C:\Program Files\WSL\wsl.exe`
		inbox     = `C:\Windows\System32\wsl.exe`
	)
	env := map[string]string{"ProgramW6432": `C:\Program Files`, "ProgramFiles": `C:\Program Files (x86)`, "SystemRoot": `C:\Windows\`}
	for _, tc := range []struct {
		name, goos string
		env        map[string]string
		there      []string
		want       string
	}{
		{"both", "windows", env, []string{installed, inbox}, installed},
		{"only the inbox one", "windows", env, []string{inbox}, inbox},
		{"none", "windows", env, nil, ""},
		{"no ProgramW6432", "windows", map[string]string{"ProgramFiles": `C:\Program Files`}, []string{installed}, installed},
		{"no environment", "windows", nil, []string{`\WSL\wsl.exe`, `\System32\wsl.exe`}, ""},
		{"PATH is not for windows", "windows", nil, []string{"/usr/bin/wsl.exe"}, ""},
		{"PATH", "linux", nil, []string{"/usr/bin/wsl.exe"}, "/usr/bin/wsl.exe"},
		{"nothing on PATH", "linux", env, []string{installed}, ""},
	} {
		lookPath := func(name string) (string, error) {
			if p := "/usr/bin/" + name; slices.Contains(tc.there, p) {
				return p, nil
			}
			return "", exec.ErrNotFound
		}
		exists := func(p string) bool { return slices.Contains(tc.there, p) }
		got, err := Find(tc.goos, func(k string) string { return tc.env[k] }, exists, lookPath)
		if got != tc.want || (err == nil) != (tc.want != "") || err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestLaunchArgs(t *testing.T) {
	for _, tc := range []struct {
		launch Launch
		want   []string
	}{
		{Launch{"Ubuntu-24.04", "root", "/", []string{"/run/a", "x y", ""}}, []string{"-d", "Ubuntu-24.04", "-u", "root", "--cd", "/", "-e", "/run/a", "x y", ""}},
		{Launch{Argv: []string{"true"}}, []string{"-e", "true"}},
		{Launch{Cd: `C:\Program Files`, Argv: []string{"./a"}}, []string{"--cd", `C:\Program Files`, "-e", "./a"}},
		{Launch{Cd: "~", Argv: []string{"a", "\"", "a\\", "$x", "\n"}}, []string{"--cd", "~", "-e", "a", "\"", "a\\", "$x", "\n"}},
	} {
		got, err := tc.launch.ArgList()
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%+v: %q, %v", tc.launch, got, err)
		}
	}
}

func TestLaunchRefusesWhatWslWouldMisread(t *testing.T) {
	ok := []string{"true"}
	for _, tc := range []struct {
		launch Launch
		want   string
	}{
		{Launch{Distro: "My Distro", Argv: ok}, `distro name "My Distro"`},
		{Launch{Distro: `"Ubuntu"`, Argv: ok}, "distro name"},
		{Launch{Distro: "-d", Argv: ok}, "distro name"},
		{Launch{Distro: "Übuntu", Argv: ok}, "distro name"},
		{Launch{User: "bob -e sh", Argv: ok}, `user name "bob -e sh"`},
		{Launch{User: "bob\n", Argv: ok}, "user name"},
		{Launch{Cd: "here", Argv: ok}, "neither a Linux path nor an absolute Windows path"},
		{Launch{Cd: "C:here", Argv: ok}, "neither"},
		{Launch{Cd: "--help", Argv: ok}, "neither"},
		{Launch{Cd: `/a" -e sh`, Argv: ok}, "can't take"},
		{Launch{}, "no program"},
		{Launch{Argv: []string{""}}, "program"},
		{Launch{Argv: []string{"a b"}}, `program "a b" has blanks`},
		{Launch{Argv: []string{`a"b`}}, "has blanks, quotes"},
		{Launch{Argv: []string{"a", "\x00"}}, "is no text"},
		{Launch{Argv: []string{"a", "\xff"}}, "is no text"},
		{Launch{Argv: []string{"a", strings.Repeat("x", 30_000)}}, "more than a command line takes"},
	} {
		got, err := tc.launch.ArgList()
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %q, %v, want %q", tc.launch, got, err, tc.want)
		}
	}
}

func TestExplain(t *testing.T) {
	const minusOne = 4294967295
	for _, tc := range []struct {
		file     string
		exitCode int
		kind     error
		cause    error
		code     string
	}{
		{"distro-not-found", minusOne, ErrDistroNotFound, nil, "Wsl/Service/WSL_E_DISTRO_NOT_FOUND"},
		{"distro-not-found-zh", minusOne, ErrDistroNotFound, nil, "Wsl/Service/WSL_E_DISTRO_NOT_FOUND"},
		{"user-not-found", minusOne, ErrUserNotFound, nil, "Wsl/Service/WSL_E_USER_NOT_FOUND"},
		{"exec-missing", 1, ErrExec, fs.ErrNotExist, ""},
		{"exec-denied", 1, ErrExec, fs.ErrPermission, ""},
		{"no-distro", minusOne, ErrNoDistro, nil, ""},
		{"no-default-distro", minusOne, ErrNoDistro, nil, "Wsl/WSL_E_DEFAULT_DISTRO_NOT_FOUND"},
		{"component-missing", minusOne, ErrNotInstalled, nil, "Wsl/WSL_E_WSL_OPTIONAL_COMPONENT_REQUIRED"},
		{"not-installed", 1, ErrNotInstalled, nil, ""},
		{"stub-usage", 1, ErrNotInstalled, nil, ""},
		{"invalid-argument", minusOne, ErrEnded, nil, ""},
		{"terminated", 1, ErrEnded, nil, ""},
		{"stub-asks", 1, ErrNotInstalled, nil, ""},
		{"stub-asks-de", 1, ErrNotInstalled, nil, ""},
		{"stub-update", 1, ErrMustUpdate, nil, ""},
		{"stub-corrupted", minusOne, ErrBroken, nil, "Wsl/CallMsi/Install/REGDB_E_CLASSNOTREG"},
		{"silent", 15, ErrEnded, nil, ""},
	} {
		stdout, stderr := captured(t, tc.file+".stdout"), captured(t, tc.file+".stderr")
		for name, encode := range encodings() {
			err := ExplainEnd(encode(stdout), []byte(stderr), tc.exitCode)
			var end *EndError
			if !errors.As(err, &end) || !errors.Is(err, tc.kind) || end.Code != tc.code || end.ExitCode != tc.exitCode {
				t.Errorf("%s in %s: %+v", tc.file, name, err)
			}
			if tc.cause != nil && !errors.Is(err, tc.cause) || tc.cause == nil && end.Cause != nil {
				t.Errorf("%s in %s: cause %v, want %v", tc.file, name, end.Cause, tc.cause)
			}
			if want := strings.TrimSpace(strings.TrimSpace(stdout) + "\n" + strings.TrimSpace(stderr)); end.Said != want {
				t.Errorf("%s in %s: said %q, want %q", tc.file, name, end.Said, want)
			}
		}
	}
	if err := ExplainEnd([]byte("Error code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND"), nil, 0); err != nil {
		t.Errorf("exit code 0: %v", err)
	}
}

func TestEndErrorIsOneShortLine(t *testing.T) {
	err := ExplainEnd([]byte("first\r\nsecond\x1b[31m\r\n"+strings.Repeat("é", 1000)), nil, 9)
	if !strings.HasPrefix(err.Error(), "wsl.exe ended (exit code 9): first second\ufffd[31m é") || len([]rune(err.Error())) > 350 || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%q", err)
	}
	if err := ExplainEnd(nil, nil, 1); err.Error() != "wsl.exe ended (exit code 1)" {
		t.Errorf("%q", err)
	}
}

// What was said before wsl.exe was given up is the reason.
func TestExplainGivenUp(t *testing.T) {
	stderr := []byte("wsl: Eine Warnung\n")
	for file, want := range map[string]error{
		"stub-asks": ErrNotInstalled, "stub-asks-de": ErrNotInstalled, "stub-update": ErrMustUpdate, "stub-corrupted": ErrBroken,
		"not-installed": ErrNotInstalled, "terminated": ErrWaits, "component-missing": ErrNotInstalled, "distro-not-found": ErrDistroNotFound,
	} {
		said := captured(t, file+".stdout")
		for name, encode := range encodings() {
			err := ExplainGivenUp(context.DeadlineExceeded, encode(said), stderr)
			if !errors.Is(err, want) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "it was ended") {
				t.Errorf("%s in %s: %v, want %v", file, name, err, want)
			}
			if asks := want != ErrWaits && want != ErrDistroNotFound; AsksForKey(encode(said)) != asks {
				t.Errorf("%s in %s: asks is %v", file, name, !asks)
			}
		}
	}
	for _, cause := range []error{context.DeadlineExceeded, context.Canceled, fs.ErrClosed} {
		if err := ExplainGivenUp(cause, []byte("\r\n"), nil); err != cause {
			t.Errorf("silence: %v, want %v", err, cause)
		}
	}
	if err := ExplainGivenUp(context.Canceled, stderr, stderr); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if AsksForKey([]byte("Ubuntu\r\nDebian\r\n")) || AsksForKey(nil) {
		t.Error("a list asks for a key")
	}
}
