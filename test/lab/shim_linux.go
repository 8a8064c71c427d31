package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// giveProcessPrng puts a bcryptprimitives.dll into a prefix whose Wine has
// none (Wine 8 has not, Wine 10 has). Without it every Go program dies at its
// start: runtime/os_windows.go takes its random numbers from that DLL alone.
func giveProcessPrng(prefix string) error {
	file := filepath.Join(prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dll := forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
	if err := os.WriteFile(file, dll, 0o755); err != nil {
		return fmt.Errorf("write bcryptprimitives.dll: %w", err)
	}
	return nil
}

// forwarder is a 64-bit DLL without code whose one export is another DLL's
// function. SystemFunction036 (RtlGenRandom) takes the same two arguments as
// ProcessPrng and returns the same truth value. The loader resolves a forward
// when the export's address lies inside the export directory.
func forwarder(name, export, target string) []byte {
	const (
		rva    = 0x1000 // where the one section is mapped
		page   = 0x200  // alignment in the file
		header = 240    // optional header of a 64-bit image
		tables = 40     // size of the export directory
	)
	text := []byte(name + "\x00" + export + "\x00" + target + "\x00")
	nameAt := uint32(rva + tables + 12)
	exportAt := nameAt + uint32(len(name)) + 1
	targetAt := exportAt + uint32(len(export)) + 1
	size := uint32(tables + 12 + len(text))

	var image bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			// A bytes.Buffer takes everything, and all values are of fixed size.
			_ = binary.Write(&image, binary.LittleEndian, v)
		}
	}
	put([]byte("MZ"), make([]byte, 58), uint32(64), []byte("PE\x00\x00"))
	put(uint16(0x8664), uint16(1), make([]byte, 12), uint16(header), uint16(0x2022)) // amd64, one section, DLL
	put(uint16(0x20b), uint16(0), uint32(0), uint32(page), uint32(0), uint32(0), uint32(0))
	put(uint64(0x180000000), uint32(rva), uint32(page), uint32(6), uint32(0), uint32(6), uint32(0))
	put(uint32(2*rva), uint32(page), uint32(0), uint16(3), uint16(0x160)) // image and header size; NX and ASLR are fine
	put(uint64(0x100000), uint64(0x1000), uint64(0x100000), uint64(0x1000), uint32(0), uint32(16))
	put(uint32(rva), size, make([]byte, 15*8)) // data directories: exports only
	put([]byte(".rdata\x00\x00"), size, uint32(rva), uint32(page), uint32(page), make([]byte, 12), uint32(0x40000040))
	image.Write(make([]byte, page-image.Len()))

	put(make([]byte, 12), nameAt, uint32(1), uint32(1), uint32(1)) // the export directory
	put(uint32(rva+tables), uint32(rva+tables+4), uint32(rva+tables+8))
	put(targetAt, exportAt, uint32(0), text) // function, its name, its number
	image.Write(make([]byte, 2*page-image.Len()))
	return image.Bytes()
}
