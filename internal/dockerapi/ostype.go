package dockerapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
)

// OSType asks the engine at the other end what its containers run: windows or linux, in lower
// case. It is a ping by hand: net/http's client would make the agent half as large again, and it
// goes into the distro byte by byte.
func OSType(engine io.ReadWriter) (string, error) {
	const ping = "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(engine, ping); err != nil {
		return "", fmt.Errorf("ping engine: %w", err)
	}
	r := textproto.NewReader(bufio.NewReader(io.LimitReader(engine, maxHead)))
	if _, err := r.ReadLine(); err != nil {
		return "", fmt.Errorf("ping engine: %w", err)
	}
	header, err := r.ReadMIMEHeader()
	if err != nil { // it may quote what the engine has said
		return "", errors.New("ping engine: its answer is not understood")
	}
	return strings.ToLower(header.Get("Ostype")), nil
}
