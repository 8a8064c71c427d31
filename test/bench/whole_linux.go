package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/bench/load"
)

// idleStreams measures the memory of everything on the path beside the two ends,
// while so many streams rest that have carried 64 KiB each way.
func idleStreams(streams int) func(context.Context, *place, *column, *measure) error {
	return func(ctx context.Context, p *place, c *column, m *measure) error {
		cmd := p.clientCommand(ctx, c, "-target", c.bytes.target, "-op", "hold", "-n", strconv.Itoa(streams))
		in, inErr := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
			return fmt.Errorf("run client: %w", err)
		}
		lines := bufio.NewReader(out)
		_, err := lines.ReadString('\n')
		if err == nil {
			err = c.weigh(m)
		}
		_ = in.Close() // it may have ended
		rest, readErr := io.ReadAll(lines)
		var r load.Result
		if err = errors.Join(err, readErr, cmd.Wait()); err == nil {
			err = json.Unmarshal(rest, &r)
		}
		m.counts(r)
		return err
	}
}

// weigh notes MiB and processes of a path.
func (c *column) weigh(m *measure) error {
	pids, err := c.bytes.processes()
	if err != nil {
		return err
	}
	m.add(float64(pssOf(pids)) / (1 << 20))
	m.also("processes", float64(len(pids)))
	if c.bytes.halves != nil {
		h, err := c.bytes.halves()
		if err != nil {
			return err
		}
		m.also("halves", float64(pssOf([]int{h.host, h.agent}))/(1<<20))
	}
	return nil
}

// idle measures a bridge that nobody uses.
func idle(ctx context.Context, p *place, c *column, m *measure) error {
	length := time.Minute
	if p.o.quick {
		length = 2 * time.Second
	}
	h, err := c.docker.halves()
	if err != nil {
		return err
	}
	// What was before may still be ending.
	if err := pause(ctx, min(length, 6*time.Second)); err != nil {
		return err
	}
	hostRan, agentRan, hostWoke, agentWoke := cpu(h.host), cpu(h.agent), wakeUps(h.host), wakeUps(h.agent)
	if err := pause(ctx, length); err != nil {
		return err
	}
	per := 100 / length.Seconds()
	host, agent := (cpu(h.host)-hostRan)*per, (cpu(h.agent)-agentRan)*per
	m.add(host + agent)
	per10 := 10 / length.Seconds()
	m.also("hostWakeUps", float64(wakeUps(h.host)-hostWoke)*per10)
	m.also("agentWakeUps", float64(wakeUps(h.agent)-agentWoke)*per10)
	return nil
}

// pause lets time pass, which is what is measured here.
func pause(ctx context.Context, long time.Duration) error {
	select {
	case <-time.After(long):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// container measures `docker run --rm busybox true`.
func container(ctx context.Context, p *place, c *column, m *measure) error {
	cmd := p.s.Docker.Command(ctx, "run", "--rm", "--network", "none", p.s.Docker.Image, "true")
	cmd.Env = append(cmd.Env, "DOCKER_HOST="+strings.Replace(c.docker.target, "unix:", "unix://", 1))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("docker run: %w", err)
	}
	m.add(float64(time.Since(began)) / 1e6)
	return nil
}

// startUp measures the way from the command to the first answer.
func startUp(ctx context.Context, p *place, c *column, m *measure) error {
	began := time.Now()
	once, err := c.again(ctx, c)
	if err != nil {
		return err
	}
	err = answers(ctx, once.target)
	took := time.Since(began)
	if err = errors.Join(err, once.end()); err == nil {
		m.add(float64(took) / 1e6)
	}
	return err
}
