package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// listing is what follows --list.
type listing struct{ all, running, quiet, verbose, online bool }

// set takes one word. Short options may come together, like -vq.
func (l *listing) set(w string) bool {
	long := map[string]*bool{
		"--all": &l.all, "--running": &l.running, "--quiet": &l.quiet, "--verbose": &l.verbose, "--online": &l.online,
	}
	short := map[rune]*bool{'q': &l.quiet, 'v': &l.verbose, 'o': &l.online}
	if flag := long[w]; flag != nil {
		*flag = true
		return true
	}
	letters, ok := strings.CutPrefix(w, "-")
	for _, letter := range letters {
		if short[letter] == nil {
			return false
		}
		*short[letter] = true
	}
	return ok && letters != ""
}

// contradicts says whether the options don't go together.
func (l *listing) contradicts() bool {
	return l.quiet && l.verbose || l.all && l.running || (l.verbose || l.all) && l.online
}

// list prints the distros, the default one first (WslClient.cpp,
// ListDistributionsHelper).
func list(service wire.Service, l listing, p printer) uint32 {
	if l.contradicts() {
		p.print(msgUsage)
		return failed
	}
	if l.online {
		// Not a thing the real one would say: it asks a server for this list.
		p.print("stand-in: --list --online is not there")
		return failed
	}
	reply, err := service.Ask(wire.Request{Op: wire.OpList})
	if err != nil {
		return p.fail(err)
	}
	if l.verbose {
		return table(reply.Distros, p) // of all of them, even with --running
	}
	distros := reply.Distros
	byDefault := ""
	if len(distros) > 0 {
		byDefault = distros[0].Name
	}
	if l.running {
		distros = slices.DeleteFunc(distros, func(d wire.Distro) bool { return !d.Running })
	}
	switch {
	case len(distros) > 0:
	case l.quiet:
		return 0
	case l.running:
		p.print("There are no running distributions.")
		return failed
	default:
		p.print(messages[wire.ErrNoDistros])
		return failed
	}
	if !l.quiet {
		p.print("Windows Subsystem for Linux Distributions:")
	}
	for _, d := range distros {
		if d.Name == byDefault && !l.quiet {
			d.Name += " (Default)"
		}
		p.print(d.Name)
	}
	return 0
}

// table is --list --verbose.
func table(distros []wire.Distro, p printer) uint32 {
	if len(distros) == 0 {
		p.print(messages[wire.ErrNoDistros])
		return failed
	}
	width := len("NAME")
	for _, d := range distros {
		width = max(width, units(d.Name))
	}
	row := func(mark, name, state, version string) {
		name += strings.Repeat(" ", width+4-units(name))
		p.print(fmt.Sprintf("%s %s%-16s%s", mark, name, state, version))
	}
	row(" ", "NAME", "STATE", "VERSION")
	mark := "*"
	for _, d := range distros {
		state := "Stopped"
		if d.Running {
			state = "Running"
		}
		row(mark, d.Name, state, fmt.Sprint(d.Version))
		mark = " "
	}
	return 0
}

// units are what wprintf counts: those of UTF-16.
func units(s string) int { return len(utf16.Encode([]rune(s))) }
