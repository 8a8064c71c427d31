package wsl

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const commands = "github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/cmd/"

// buildMissing builds one of our commands into dir, unless it is there. It writes
// beside the target and renames: several packages' tests may do it at once.
func buildMissing(ctx context.Context, dir, name string) (string, error) {
	file, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	temp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	defer os.RemoveAll(temp)
	fresh := filepath.Join(temp, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", fresh, commands+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return file, os.Rename(fresh, file)
}
