// Command release packs what make build has built for Windows: a zip for each
// architecture, and the digests of both. The same files give the same zips.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// made is the time of everything in a zip. A zip has no zone; its years begin with this one.
var made = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func main() {
	version := flag.String("version", "", "the version in the files' names")
	flag.Parse()
	if err := release(*version, "build", "."); err != nil {
		fmt.Fprintln(os.Stderr, "release: error:", err)
		os.Exit(1)
	}
}

// release packs the programs below build and the papers at root into
// build/release.
func release(version, build, root string) error {
	out := filepath.Join(build, "release")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make release: %w", err)
	}
	var sums strings.Builder
	for _, arch := range []string{"amd64", "arm64"} {
		programs := filepath.Join(build, "windows-"+arch)
		name := fmt.Sprintf("docker-wsl-bridge-%s-windows-%s", version, arch)
		sum, err := pack(filepath.Join(out, name+".zip"), name, []string{
			filepath.Join(programs, "docker-wsl-bridge.exe"),
			filepath.Join(programs, "docker-wsl-bridgew.exe"),
			filepath.Join(root, "LICENSE"),
			filepath.Join(root, "README.md"),
			filepath.Join(root, "THIRD_PARTY_NOTICES.txt"),
			filepath.Join(root, "docs", "config.schema.json"),
		})
		if err != nil {
			return fmt.Errorf("pack for %s: %w", arch, err)
		}
		fmt.Fprintf(&sums, "%x  %s.zip\n", sum, name)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// pack writes files into a zip, all in the folder named, and gives its digest.
func pack(to, folder string, files []string) (sum [sha256.Size]byte, err error) {
	f, err := os.Create(to)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	digest := sha256.New()
	z := zip.NewWriter(io.MultiWriter(f, digest))
	for _, file := range files {
		if err := add(z, folder, file); err != nil {
			return sum, err
		}
	}
	if err := z.Close(); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(digest.Sum(nil)), f.Close()
}

func add(z *zip.Writer, folder, file string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := z.CreateHeader(&zip.FileHeader{Name: folder + "/" + filepath.Base(file), Method: zip.Deflate, Modified: made})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return err
}
