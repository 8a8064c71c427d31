package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// The texts of wsl.exe (localization/strings/en-US/Resources.resw of
// microsoft/WSL), with the error code line where the real one prints it.
const (
	msgUserNotFound = "User not found.\nError code: Wsl/WSL_E_USER_NOT_FOUND"
	msgTTYLimit     = "Error: 0x8004030d\nError code: Wsl/WSL_E_TTY_LIMIT"
	msgInvalidArg   = "The parameter is incorrect. \nError code: Wsl/E_INVALIDARG"
	msgDistroTwice  = "The distribution name has already been set."

	// An excerpt; the real one goes on for six pages.
	msgUsage = `Copyright (c) Microsoft Corporation. All rights reserved.
For privacy information about this product please visit https://aka.ms/privacy.

Usage: wsl.exe [Argument] [Options...] [CommandLine]

Arguments for running Linux binaries:

    If no command line is provided, wsl.exe launches the default shell.

    --exec, -e <CommandLine>
        Execute the specified command without using the default Linux shell.

Options:
    --cd <Directory>

    --distribution, -d <DistroName>

    --user, -u <UserName>
`

	msgNotInstalled = `The Windows Subsystem for Linux is not installed. You can install by running 'wsl.exe --install'.
For more information please visit https://aka.ms/wslinstall`

	msgMustUpdate = `Windows Subsystem for Linux must be updated to the latest version to proceed. You can update by running 'wsl.exe --update'.
For more information please visit https://aka.ms/wslinstall`

	msgAsksForKey = `

Press any key to install Windows Subsystem for Linux.
Press CTRL-C or close this window to cancel.
This prompt will time out in 60 seconds.`

	msgCorrupted = `WSL installation appears to be corrupted (Error code: Wsl/CallMsi/Install/REGDB_E_CLASSNOTREG).
Press any key to repair WSL, or CTRL-C to cancel.
This prompt will time out in 60 seconds.`

	msgNoDistros = `Windows Subsystem for Linux has no installed distributions.
You can resolve this by installing a distribution with the instructions below:

Use 'wsl.exe --list --online' to list available distributions
and 'wsl.exe --install <Distro>' to install.`

	msgNoVersion1 = `WSL1 is not supported with your current machine configuration.
Please enable the "Windows Subsystem for Linux" optional component to use WSL1.`

	msgVersion = `WSL version: 2.9.4.0
Kernel version: 6.18.35.2-1
WSLg version: 1.0.79
MSRDC version: 1.2.7214
Direct3D version: 1.611.1-81528511
DXCore version: 10.0.26100.1-240331-1435.ge-release
Windows version: 10.0.26100.1`
)

var messages = map[string]string{
	wire.ErrDistroNotFound: "There is no distribution with the supplied name.\nError code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND",
	wire.ErrNoDistros:      msgNoDistros,
	wire.ErrVersion1:       msgNoVersion1 + "\nError code: Wsl/Service/CreateInstance/WSL_E_WSL1_NOT_SUPPORTED",
	wire.ErrDirectory:      "The system cannot find the path specified. \nError code: Wsl/ERROR_PATH_NOT_FOUND",
}

func msgUnknown(arg string) string {
	return fmt.Sprintf("Invalid command line argument: %s\nPlease use 'wsl.exe --help' to get a list of supported arguments.", arg)
}

func msgMissing(option string) string {
	return fmt.Sprintf("Argument %s is missing a required parameter.", option)
}

// printer writes wsl.exe's own messages: to standard output even for errors, and
// in UTF-16LE without a byte order mark unless WSL_UTF8 is exactly 1.
type printer struct {
	w    io.Writer
	utf8 bool
}

// print writes one message and ends its line.
func (p printer) print(text string) {
	text = strings.ReplaceAll(text+"\n", "\n", "\r\n")
	if p.utf8 {
		io.WriteString(p.w, text)
		return
	}
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	p.w.Write(b)
}

// fail tells why a request was not done.
func (p printer) fail(err error) uint32 {
	var refused wire.Refusal
	if errors.As(err, &refused) {
		if text, ok := messages[refused.Reason]; ok {
			p.print(text)
			return failed
		}
	}
	// Not a thing the real one would say: the testbed itself is out of order.
	fmt.Fprintln(os.Stderr, "stand-in:", err)
	return failed
}
