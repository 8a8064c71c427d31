package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/deploy"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/endpoint"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/engine"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/links"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/setup"
)

// TargetOf gives what is chosen, and the bridges that run, say.
func TargetOf(ctx context.Context, c control.Chosen, engineAt endpoint.Endpoint) (p Target, err error) {
	p.Windows, p.Engine = runtime.GOOS == "windows", engineAt
	if p.Bridges, err = control.RunningBridges(ctx, c); err != nil {
		return p, err
	}
	p.Place = control.Place{Distro: c.Distro, Socket: cmp.Or(c.Socket, links.DefaultSocket)}
	if len(p.Bridges) == 1 {
		p.Place = p.Bridges[0].Place
	}
	exe, err := os.Executable()
	if err != nil {
		return p, fmt.Errorf("find own file: %w", err)
	}
	if agent, err := deploy.FindAgent(deploy.NativeArch(), filepath.Dir(exe)); err == nil {
		p.Agent, p.Build = deploy.AgentPath(agent.Hash), agent.Hash
	}
	p.Configured = links.FilesRight
	if p.Windows {
		p.ProgramData, p.Member = os.Getenv("ProgramData"), engine.IsMember
		p.Installed, p.Blocked = setup.InstalledRight, FindBlocker
	}
	return p, nil
}
