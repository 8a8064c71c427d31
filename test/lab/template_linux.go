package lab

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// layout is raised when a template is made differently: old ones are then not
// used any more.
const layout = 1

// template returns the prefix that all others are copied from, and makes it
// when this Wine has none yet. wineboot takes 5 to 15 s, a copy 30 ms.
func template(ctx context.Context) (string, error) {
	name, err := templateName(ctx)
	if err != nil {
		return "", err
	}
	base := filepath.Join(Root(), "build", "wine")
	unlock, err := lock(ctx, filepath.Join(base, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	prefix := filepath.Join(base, name)
	if _, err := os.Stat(prefix); err == nil {
		return prefix, nil
	}
	return prefix, makeTemplate(ctx, prefix)
}

// templateName differs where a prefix can't be shared: Wine rebuilds one that
// another version made, and user names and the owner are part of it.
func templateName(ctx context.Context) (string, error) {
	wine, err := loader()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, wine, "--version")
	cmd.Env = wineEnv("/nonexistent")
	version, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask wine for its version: %w", err)
	}
	sum := crc32.ChecksumIEEE(version)
	return fmt.Sprintf("template-%d-%d-%08x", layout, os.Getuid(), sum), nil
}

// makeTemplate works under another name and renames at the end, so that a
// killed run leaves nothing that looks finished.
func makeTemplate(ctx context.Context, prefix string) error {
	half := prefix + ".half"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("remove half-made prefix: %w", err)
	}
	w, err := startServer(ctx, half)
	if err != nil {
		return err
	}
	// No output is kept: what wineboot leaves running would hold a pipe open.
	if err := w.Command(ctx, "wineboot", "-i").Run(); err != nil {
		return errors.Join(fmt.Errorf("run wineboot: %w", err), w.Close())
	}
	if err := giveProcessPrng(half); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.stop(); err != nil {
		return err
	}
	if err := os.Rename(half, prefix); err != nil {
		return fmt.Errorf("keep wine prefix: %w", err)
	}
	return nil
}

// copyTemplate makes a prefix that shares the template's big files, which are
// DLLs that nobody writes to: 695 MB would take 2 s and 695 MB. All else is
// copied: the registry, and small files that a program may rewrite in place.
func copyTemplate(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("copy wine prefix: %w", err)
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		info, err := d.Info()
		if err == nil {
			err = copyOne(path, target, info)
		}
		if err != nil {
			return fmt.Errorf("copy wine prefix: %w", err)
		}
		return nil
	})
}

func copyOne(from, to string, info fs.FileInfo) error {
	const big = 64 << 10
	switch {
	case info.IsDir():
		return os.MkdirAll(to, info.Mode().Perm()|0o700)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case info.Size() >= big && filepath.Ext(from) != ".reg":
		return share(from, to)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, info.Mode().Perm())
}

// share links, or points with a symlink when the template lies on another file
// system than the copy (a tmpfs /tmp).
func share(from, to string) error {
	err := os.Link(from, to)
	var link *os.LinkError
	if errors.As(err, &link) {
		return os.Symlink(from, to)
	}
	return err
}
