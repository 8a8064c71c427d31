package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/lab"
)

// runClient has the column's client do something on one of its paths.
func (p *place) runClient(ctx context.Context, c *column, to *path, args ...string) (load.Result, error) {
	var r load.Result
	var said bytes.Buffer
	cmd := p.clientCommand(ctx, c, append([]string{"-target", to.target}, args...)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("run client: %w: %s", errors.Join(err, ctx.Err()), lab.WithoutWine(said.String()))
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("run client: %w", err)
	}
	return r, nil
}

// latency measures requests of one kind.
func latency(engine, op string, more ...string) func(context.Context, *place, *column, *measure) error {
	return func(ctx context.Context, p *place, c *column, m *measure) error {
		r, err := p.runClient(ctx, c, c.path(engine), append([]string{"-op", op, "-for", p.length()}, more...)...)
		if err != nil {
			return err
		}
		m.add(r.Samples...)
		m.counts(r)
		return nil
	}
}

func (c *column) path(engine string) *path {
	if engine == engineDocker {
		return c.docker
	}
	return c.bytes
}

// length is that of cells that end by the clock.
func (p *place) length() string {
	if p.o.quick {
		return "200ms"
	}
	return "1500ms"
}

// storm measures answers in a second by many at once.
func storm(workers int) func(context.Context, *place, *column, *measure) error {
	return func(ctx context.Context, p *place, c *column, m *measure) error {
		r, err := p.runClient(ctx, c, c.docker, "-op", "storm", "-workers", strconv.Itoa(workers), "-for", p.length())
		if err != nil {
			return err
		}
		m.add(float64(r.Count) / r.Seconds)
		m.counts(r)
		return nil
	}
}

// bulk measures MB/s, and what the halves use for it.
func bulk(op string, directions int) func(context.Context, *place, *column, *measure) error {
	return func(ctx context.Context, p *place, c *column, m *measure) error {
		var h half
		var err error
		if c.bytes.halves != nil {
			if h, err = c.bytes.halves(); err != nil {
				return err
			}
		}
		n := p.o.bytes
		if !c.wine && !p.o.quick {
			n *= 5 // 200 MB are over before the clock has a figure
		}
		host, agent, server := cpu(h.host), cpu(h.agent), cpu(p.wineServer)
		r, err := p.runClient(ctx, c, c.bytes, "-op", op, "-n", strconv.FormatInt(n, 10))
		if err != nil {
			return err
		}
		m.counts(r)
		if r.Errors > 0 || r.Lost > 0 {
			return nil
		}
		m.add(float64(r.Bytes) / 1e6 / r.Seconds)
		if c.bytes.halves != nil {
			gb := float64(directions) * float64(n) / 1e9
			m.also("hostCPU", (cpu(h.host)-host)/gb)
			m.also("agentCPU", (cpu(h.agent)-agent)/gb)
		}
		if c.wine {
			m.also("wineServerCPU", (cpu(p.wineServer)-server)/float64(r.Bytes)*1e9)
		}
		return nil
	}
}

// archivePath is where dockerd gives the container's file out.
const archivePath = "/containers/" + home + "/archive?path=/file"

// archive measures a `docker cp` out of a container, by MB/s, and what came by its sum.
func archive(ctx context.Context, p *place, c *column, m *measure) error {
	r, err := p.runClient(ctx, c, c.docker, "-op", "archive", "-path", archivePath, "-n", strconv.FormatInt(p.fileSize, 10))
	if err != nil {
		return err
	}
	m.counts(r)
	switch {
	case r.Errors > 0 || r.Lost > 0:
	case r.Sum != p.sum:
		return errors.New("other bytes than are in the file")
	default:
		m.add(float64(r.Bytes) / 1e6 / r.Seconds)
	}
	return nil
}

// lateBytes is how much comes late.
const lateBytes = 1 << 20

// late sees whether what comes after the end of input comes at all.
func late(ctx context.Context, p *place, c *column, m *measure) error {
	r, err := p.runClient(ctx, c, c.bytes, "-op", "late", "-n", strconv.Itoa(lateBytes))
	if err != nil {
		return err
	}
	m.counts(r)
	if r.Lost == 0 {
		m.add(r.Samples...)
	}
	return nil
}

// carrier measures wsl.exe alone: what its relays move when nothing of ours is there.
// A client in the distro gets its bytes by wsl.exe's stdin.
// The program in the distro moves 64 KiB at once: head takes less, and would be measured itself.
func carrier(way, script string) func(context.Context, *place, *column, *measure) error {
	return func(ctx context.Context, p *place, c *column, m *measure) error {
		exe := `C:\Program Files\WSL\wsl.exe`
		if c.name == namePlain {
			exe = plainDir + `\WSL\wsl.exe`
		}
		n := strconv.FormatInt(p.o.bytes, 10)
		line := strings.ReplaceAll(script, "N", n)
		cmd := p.s.Wine.Command(ctx, p.clientExe, "-op", "relay", "-path", way, "-n", n, "-for", p.length(),
			"--", exe, "-d", c.name+"-"+engineBytes, "-u", "root", "--cd", "/", "-e", "/bin/sh", "-c", line)
		cmd.Env = append(cmd.Env, p.s.VM.Env()...)
		if p.launcher != nil {
			cmd.Env = append(cmd.Env, "BENCH_PLAIN="+p.launcher.address)
		}
		out, err := cmd.Output()
		var r load.Result
		if err == nil {
			err = json.Unmarshal(out, &r)
		}
		if err != nil {
			return fmt.Errorf("run client: %w", err)
		}
		m.counts(r)
		switch {
		case r.Errors > 0 || r.Lost > 0:
		case len(r.Samples) > 0:
			m.add(r.Samples...)
		default:
			m.add(float64(r.Bytes) / 1e6 / r.Seconds)
		}
		return nil
	}
}
