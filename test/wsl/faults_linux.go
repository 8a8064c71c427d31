package wsl

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/wire"
)

// Faults is what goes wrong, for launches from now on. The zero value is a WSL
// that works.
type Faults = wire.Faults

// SetFaults makes launches from now on go wrong as f says, and no others: it
// replaces what was set before. Launches under way keep what they have.
func (vm *VM) SetFaults(f Faults) error {
	return vm.ask(wire.Request{Op: wire.OpFaults, Faults: f})
}

// Scope is what a freeze covers.
type Scope int

const (
	// Launches are those that exist now: their relays are wedged, new ones work.
	Launches Scope = iota
	// Everything is the VM in standby: new launches wait as well, for the thaw.
	Everything
)

// Freeze stops the bytes of launches. There is no end and no error, processes in
// the distros go on, and nothing is lost: thaw ends every freeze, and all goes on
// from where it was. wsl.exe still passes on what the sockets hold.
func (vm *VM) Freeze(scope Scope) (thaw func() error, err error) {
	err = vm.ask(wire.Request{Op: wire.OpFreeze, Everything: scope == Everything})
	return func() error { return vm.ask(wire.Request{Op: wire.OpThaw}) }, err
}

// Terminate stops a distro, as wsl.exe --terminate does.
func (vm *VM) Terminate(distro string) error {
	return vm.ask(wire.Request{Op: wire.OpTerminate, Distro: distro})
}

// Shutdown stops every distro and empties the directory they share, as wsl.exe
// --shutdown does. The next launch starts its distro again.
func (vm *VM) Shutdown() error {
	return vm.ask(wire.Request{Op: wire.OpShutdown})
}

func (vm *VM) ask(r wire.Request) error {
	service, err := wire.FindService(vm.address)
	if err == nil {
		_, err = service.Ask(r)
	}
	if err != nil {
		return fmt.Errorf("ask VM for %s: %w", r.Op, err)
	}
	return nil
}

// UTF16 is text as wsl.exe writes it without WSL_UTF8=1: in UTF-16LE. For
// Faults.
func UTF16(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
