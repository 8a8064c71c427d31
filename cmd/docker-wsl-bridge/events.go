package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/install"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/logs"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// toFile has a service write to a file and the Event Log: nobody sees its stderr. The file is that
// of the command, in the state directory.
func (s *supervised) toFile() io.Closer {
	dir, err := state.Dir()
	if err != nil {
		return logs.None{}
	}
	sum := sha256.Sum256([]byte(strings.Join(s.argv, "\x00")))
	file, err := logs.Open(filepath.Join(state.LogDir(dir), "supervise-"+hex.EncodeToString(sum[:8])+".log"))
	if err != nil {
		return logs.None{} // a command is worth more than its log
	}
	system, ends := logs.SystemHandler(install.EventSource, install.HasEventSource())
	s.log = slog.New(slog.NewMultiHandler(slog.NewTextHandler(file, nil), system))
	output := slog.New(slog.NewTextHandler(file, nil))
	tell := func(line string) { output.Info("output", "line", line) }
	said, saidErr := &console.Lines{Tell: tell}, &console.Lines{Tell: tell} // apart: a line may come in pieces
	s.out, s.errOut = said, saidErr
	return closeAll{said, saidErr, file, ends}
}

// closeAll are things that end in turn.
type closeAll []io.Closer

func (c closeAll) Close() (err error) {
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}
