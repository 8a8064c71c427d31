package install

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// maxConfig is the most that either query of a service's configuration gives.
const maxConfig = 8 << 10

// levels are the parts of ChangeServiceConfig2 that are kept. Each is written as it was read: its buffer
// has what it points to inside.
var levels = []uint32{
	windows.SERVICE_CONFIG_DESCRIPTION, windows.SERVICE_CONFIG_FAILURE_ACTIONS, windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
	windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, windows.SERVICE_CONFIG_SERVICE_SID_INFO,
	windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO,
}

// kept is a service's configuration, as Windows gives it.
type kept struct {
	config []byte // a QUERY_SERVICE_CONFIG
	more   map[uint32][]byte
	ran    bool
}

func readKept(name string) (k *kept, err error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) { // a half-removed one of the registry
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	status, err := s.Query()
	if err != nil {
		return nil, err
	}
	k = &kept{make([]byte, maxConfig), map[uint32][]byte{}, status.State == svc.Running || status.State == svc.StartPending}
	needed := uint32(0)
	if err := windows.QueryServiceConfig(s.Handle, k.queryConfig(), maxConfig, &needed); err != nil {
		return nil, err
	}
	for _, level := range levels {
		b := make([]byte, maxConfig)
		if windows.QueryServiceConfig2(s.Handle, level, &b[0], maxConfig, &needed) == nil { // an older Windows knows fewer
			k.more[level] = b
		}
	}
	return k, nil
}

func (k *kept) queryConfig() *windows.QUERY_SERVICE_CONFIG {
	return (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&k.config[0]))
}

func (k *kept) removeService(name string) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(name)
	if err != nil {
		return err
	}
	err = awaitEnd(s) // first: one that can't be ended is to stay
	if err == nil {
		err = s.Delete()
	}
	if errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
		err = nil
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	for late := time.Now().Add(endTime); ; time.Sleep(100 * time.Millisecond) { // nobody tells
		s, err := m.OpenService(name)
		if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
			return nil
		}
		if err == nil {
			err = s.Close()
		}
		if err == nil && time.Now().After(late) {
			err = windows.ERROR_SERVICE_MARKED_FOR_DELETE
		}
		if err != nil {
			return err
		}
	}
}

func (k *kept) putBack(name string) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	texts, err := utf16Pointers(name)
	if err != nil {
		return err
	}
	c := k.queryConfig()
	h, err := windows.CreateService(m.Handle, texts[0], c.DisplayName, windows.SERVICE_ALL_ACCESS,
		c.ServiceType, c.StartType, c.ErrorControl, c.BinaryPathName, unlessEmpty(c.LoadOrderGroup), nil,
		unlessEmpty(c.Dependencies), unlessEmpty(c.ServiceStartName), nil)
	if errors.Is(err, windows.ERROR_SERVICE_EXISTS) { // it could not be removed
		h, err = windows.OpenService(m.Handle, texts[0], windows.SERVICE_ALL_ACCESS)
	}
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: name, Handle: h}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, level := range levels {
		if b := k.more[level]; b != nil {
			err = errors.Join(err, windows.ChangeServiceConfig2(h, level, &b[0]))
		}
	}
	if k.ran {
		if wrong := s.Start(); !errors.Is(wrong, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			err = errors.Join(err, wrong)
		}
	}
	return err
}

// unlessEmpty is nil for what CreateService is not to be told: a service of each user has no account.
func unlessEmpty(text *uint16) *uint16 {
	if text == nil || *text == 0 {
		return nil
	}
	return text
}
