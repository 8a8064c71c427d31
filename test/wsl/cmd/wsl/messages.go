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
	msgUsage        = "Usage: wsl.exe [Argument] [Options...] [CommandLine]"
)

var messages = map[string]string{
	wire.ErrDistroNotFound: "There is no distribution with the supplied name.\nError code: Wsl/Service/WSL_E_DISTRO_NOT_FOUND",
	wire.ErrNoDistros:      "Windows Subsystem for Linux has no installed distributions.",
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
	var refused refusal
	if errors.As(err, &refused) {
		if text, ok := messages[refused.reason]; ok {
			p.print(text)
			return failed
		}
	}
	// Not a thing the real one would say: the testbed itself is out of order.
	fmt.Fprintln(os.Stderr, "stand-in:", err)
	return failed
}
