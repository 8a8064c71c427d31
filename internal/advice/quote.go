package advice

import (
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/control"
)

// FlagsOf tell a place from all others.
func FlagsOf(p control.Place) string {
	return " --distro " + codes.WindowsWord(p.Distro) + " --socket " + codes.WindowsWord(p.Socket)
}

// InDistro is the command that runs another one in a distro. With --exec no shell of the distro reads its words again.
func InDistro(distro, user string, argv ...string) string {
	line, words := "wsl --distro "+codes.WindowsWord(distro), ""
	if user != "" {
		line += " --user " + codes.WindowsWord(user)
	}
	exec := ""
	for _, word := range argv {
		if codes.ShWord(word) != word {
			exec = " --exec"
		}
		words += " " + codes.WindowsWord(word)
	}
	return line + exec + words
}
