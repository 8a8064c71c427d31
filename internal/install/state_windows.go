package install

import (
	"errors"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// logonIDs are the numbers of this user's logon, of which an administrator has two.
func logonIDs() (list []string) {
	own := windows.GetCurrentProcessToken()
	tokens := []windows.Token{own}
	if other, err := own.GetLinkedToken(); err == nil {
		defer other.Close()
		tokens = append(tokens, other)
	}
	for _, token := range tokens {
		// TOKEN_STATISTICS of winnt.h
		var s struct {
			token, logon windows.LUID
			_            [40]byte
		}
		size := uint32(unsafe.Sizeof(s))
		if windows.GetTokenInformation(token, windows.TokenStatistics, (*byte)(unsafe.Pointer(&s)), size, &size) == nil {
			list = append(list, strconv.FormatUint(uint64(s.logon.LowPart), 16))
		}
	}
	return list
}

// queryService asks with the rights of an ordinary user.
func queryService(name string) (state, code uint32, err error) {
	texts, err := utf16Pointers(name)
	if err != nil {
		return 0, 0, err
	}
	m, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, windows.CloseServiceHandle(m)) }()
	s, err := windows.OpenService(m, texts[0], windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, windows.CloseServiceHandle(s)) }()
	var status windows.SERVICE_STATUS
	if err := windows.QueryServiceStatus(s, &status); err != nil {
		return 0, 0, err
	}
	return status.CurrentState, status.Win32ExitCode, nil
}
