package wsl

import (
	"fmt"
	"strings"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/test/wsl/plan"
)

// RegistryKey is where WSL registers the distros of a user.
const RegistryKey = `HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Lxss`

// The flags of a registered distro (wslservice.idl): Windows programs can be
// started, have their PATH and see the drives; and it is one of WSL 2.
const (
	flagsOfAll = 1 | 2 | 4
	flagWSL2   = 8
)

// Registry is what WSL keeps in the registry about the VM's distros, as a file
// for reg.exe import. It replaces what was there. As with WSL, whether a distro
// runs is not in it.
func (vm *VM) Registry() []byte {
	var b strings.Builder
	b.WriteString("\ufeffWindows Registry Editor Version 5.00\n\n")
	fmt.Fprintf(&b, "[-%s]\n\n[%s]\n\"DefaultVersion\"=dword:00000002\n", RegistryKey, RegistryKey)
	if len(vm.plan.Distros) > 0 {
		fmt.Fprintf(&b, "\"DefaultDistribution\"=\"%s\"\n", vm.plan.Distros[0].ID())
	}
	for _, d := range vm.plan.Distros {
		writeDistroKey(&b, d)
	}
	return UTF16(strings.ReplaceAll(b.String(), "\n", "\r\n"))
}

func writeDistroKey(b *strings.Builder, d plan.Distro) {
	fmt.Fprintf(b, "\n[%s\\%s]\n", RegistryKey, d.ID())
	text := func(name, value string) {
		fmt.Fprintf(b, "\"%s\"=\"%s\"\n", name, strings.ReplaceAll(value, `\`, `\\`))
	}
	number := func(name string, value int) { fmt.Fprintf(b, "\"%s\"=dword:%08x\n", name, value) }

	text("DistributionName", d.Name)
	text("BasePath", `C:\Users\standin\AppData\Local\wsl\`+d.ID())
	number("State", 1)   // installed
	number("Version", 2) // of the file system: there is no other any more
	number("RunOOBE", 0)
	uid, flags := 0, flagsOfAll
	if d.User != "" {
		uid = plan.UserID
	}
	if d.Version == 2 {
		flags |= flagWSL2
		text("VhdFileName", "ext4.vhdx")
	}
	number("DefaultUid", uid)
	number("Flags", flags)
	if d.Kind == plan.Debian {
		number("Modern", 1)
		text("Flavor", "debian")
		text("OsVersion", "12")
	}
}
