package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
) // Chosen says which of the running bridges are meant. The zero value is all of them.
type Chosen struct{ Distro, Socket string }

func (c Chosen) hasPlace(p Place) bool {
	return (c.Distro == "" || strings.EqualFold(c.Distro, p.Distro)) && (c.Socket == "" || c.Socket == p.Socket)
}

// WordsForChoice say what was chosen, behind "no bridge runs".
func (c Chosen) WordsForChoice() string {
	text := ""
	if c.Socket != "" {
		text += " for " + c.Socket
	}
	if c.Distro != "" {
		text += " in " + c.Distro
	}
	return text
}

// RunningBridges are the bridges of this user, in order.
func RunningBridges(ctx context.Context, c Chosen) ([]Found, error) {
	return listInOrder(ctx, c, ListStatus)
}

// SettledBridges are the same, waited for until they serve or know why they don't, for so long at the most. No engine is
// asked for that.
func SettledBridges(ctx context.Context, within time.Duration) ([]Found, error) {
	return listInOrder(ctx, Chosen{}, func(ctx context.Context, dir string) ([]Found, error) {
		return ListSettled(ctx, dir, within)
	})
}

// CarryingBridges are the same, with what they carry.
func CarryingBridges(ctx context.Context, c Chosen) ([]Found, error) {
	return listInOrder(ctx, c, ListTraffic)
}

func listInOrder(ctx context.Context, c Chosen, list func(context.Context, string) ([]Found, error)) ([]Found, error) {
	dir, err := state.Dir()
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, state.RunDir(dir))
	all = slices.DeleteFunc(all, func(f Found) bool { return !c.hasPlace(f.Place) })
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(strings.Compare(a.Place.Distro, b.Place.Distro), strings.Compare(a.Place.Socket, b.Place.Socket))
	})
	return all, err
}

// IsPipe tells the place of a reverse link, whose clients are on Windows.
func IsPipe(p Place) bool { return strings.HasPrefix(p.Socket, "npipe:") }

// PlaceName is a place in a sentence.
func PlaceName(p Place) string {
	return printable.Line(p.Socket) + " " + WhereWords(p)
}

// WhereWords say in which distro a place is.
func WhereWords(p Place) string {
	if p.IsInEveryDistro() {
		return "in every distro"
	}
	return "in " + printable.Line(p.Distro)
}

// IsLog tells by its name whether a file is the log of a bridge that was chosen.
func IsLog(name string, c Chosen) bool {
	distro, id, is := state.ParseLog(name)
	return is && (c.Distro == "" || strings.EqualFold(c.Distro, distro)) &&
		(c.Socket == "" || id == Place{Distro: distro, Socket: c.Socket}.ID())
}

// ErrNoLog says that there is none.
var ErrNoLog = errors.New("there is no log of a bridge")

// NewestLog is the file of those chosen that was written last.
func NewestLog(dir string, c Chosen) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for logs: %w", err)
	}
	newest, when := "", time.Time{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !IsLog(e.Name(), c) {
			continue
		}
		if t := info.ModTime(); newest == "" || t.After(when) {
			newest, when = filepath.Join(dir, e.Name()), t
		}
	}
	if newest == "" {
		return "", fmt.Errorf("%w%s in %s", ErrNoLog, printable.Line(c.WordsForChoice()), dir)
	}
	return newest, nil
}
