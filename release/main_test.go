package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree is what a release is made of, with files of the age given.
func tree(t *testing.T, age time.Duration) (build, root string) {
	t.Helper()
	root = t.TempDir()
	build = filepath.Join(root, "build")
	for _, name := range []string{
		"build/windows-amd64/docker-wsl-bridge.exe", "build/windows-amd64/docker-wsl-bridgew.exe",
		"build/windows-arm64/docker-wsl-bridge.exe", "build/windows-arm64/docker-wsl-bridgew.exe",
		"LICENSE", "README.md", "THIRD_PARTY_NOTICES.txt", "docs/config.schema.json",
	} {
		path := filepath.Join(root, name)
		when := time.Now().Add(-age)
		for _, err := range []error{
			os.MkdirAll(filepath.Dir(path), 0o755),
			os.WriteFile(path, []byte("this is "+name), 0o644),
			os.Chtimes(path, when, when),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := release("1.2.3", build, root); err != nil {
		t.Fatal(err)
	}
	return build, root
}

// Everything that a person needs is in the zip, in a folder of its own.
func TestReleaseHoldsTheProgramsAndTheirPapers(t *testing.T) {
	build, _ := tree(t, 0)
	z, err := zip.OpenReader(filepath.Join(build, "release", "docker-wsl-bridge-1.2.3-windows-arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	const folder = "docker-wsl-bridge-1.2.3-windows-arm64/"
	want := []string{folder + "docker-wsl-bridge.exe", folder + "docker-wsl-bridgew.exe",
		folder + "LICENSE", folder + "README.md", folder + "THIRD_PARTY_NOTICES.txt", folder + "config.schema.json"}
	if !slices.Equal(names, want) {
		t.Errorf("the zip holds %q, want %q", names, want)
	}
	r, err := z.Open(folder + "docker-wsl-bridgew.exe")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "this is build/windows-arm64/docker-wsl-bridgew.exe" {
		t.Errorf("the program for arm64 is %q, %v", b, err)
	}
}

// A release can be made again from its commit and compared; the digests are the zips'.
func TestReleaseIsReproducible(t *testing.T) {
	one, _ := tree(t, 0)
	two, _ := tree(t, 1000*time.Hour)
	var sums strings.Builder
	for _, name := range []string{"docker-wsl-bridge-1.2.3-windows-amd64.zip", "docker-wsl-bridge-1.2.3-windows-arm64.zip"} {
		a, b := read(t, one, name), read(t, two, name)
		if string(a) != string(b) {
			t.Errorf("%s differs between two releases of the same files", name)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(a), name)
	}
	if got := read(t, one, "SHA256SUMS"); string(got) != sums.String() {
		t.Errorf("SHA256SUMS says %s, want %s", got, sums.String())
	}
}

func read(t *testing.T, build, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(build, "release", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
