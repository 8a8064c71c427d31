package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/state"
)

// chosen says which of the running bridges are meant. The zero value is all of them.
type chosen struct{ distro, socket string }

func (c *chosen) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&c.distro, "distro", "d", "", "only the bridge for the distro of this `name`")
	cmd.Flags().StringVar(&c.socket, "socket", "", "only the bridge for the socket of this `path`")
}

func (c chosen) has(p control.Place) bool {
	return (c.distro == "" || strings.EqualFold(c.distro, p.Distro)) && (c.socket == "" || c.socket == p.Socket)
}

// words say what was chosen, behind "no bridge runs".
func (c chosen) words() string {
	text := ""
	if c.socket != "" {
		text += " for " + c.socket
	}
	if c.distro != "" {
		text += " in " + c.distro
	}
	return text
}

// running are the bridges of this user, in order.
func running(ctx context.Context, c chosen) ([]control.Found, error) {
	return inOrder(ctx, c, control.List)
}

// settling are the same, waited for until they serve or know why they don't, for so long at the most. No engine is
// asked for that.
func settling(ctx context.Context, within time.Duration) ([]control.Found, error) {
	return inOrder(ctx, chosen{}, func(ctx context.Context, dir string) ([]control.Found, error) {
		return control.ListSettled(ctx, dir, within)
	})
}

// carrying are the same, with what they carry.
func carrying(ctx context.Context, c chosen) ([]control.Found, error) {
	return inOrder(ctx, c, control.ListTraffic)
}

func inOrder(ctx context.Context, c chosen, list func(context.Context, string) ([]control.Found, error)) ([]control.Found, error) {
	dir, err := state.Dir()
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, state.RunDir(dir))
	all = slices.DeleteFunc(all, func(f control.Found) bool { return !c.has(f.Place) })
	slices.SortFunc(all, func(a, b control.Found) int {
		return cmp.Or(strings.Compare(a.Place.Distro, b.Place.Distro), strings.Compare(a.Place.Socket, b.Place.Socket))
	})
	return all, err
}

// isPipe tells the place of a reverse link, whose clients are on Windows.
func isPipe(p control.Place) bool { return strings.HasPrefix(p.Socket, "npipe:") }

// placeName is a place in a sentence.
func placeName(p control.Place) string {
	return printable.Line(p.Socket) + " " + whereWords(p)
}

// whereWords say in which distro a place is.
func whereWords(p control.Place) string {
	if p.Everywhere() {
		return "in every distro"
	}
	return "in " + printable.Line(p.Distro)
}
