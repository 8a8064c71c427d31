package install

import "errors"

func readMachine() (*Machine, error) { return nil, errors.ErrUnsupported }

func (m *Machine) writeRegistry() error { return errors.ErrUnsupported }

func removeMachine() error { return errors.ErrUnsupported }

func findServices() (Registered, error) { return Registered{}, errors.ErrUnsupported }

func (t Template) createService() error { return errors.ErrUnsupported }

type kept struct{ ran bool }

func readKept(string) (*kept, error) { return nil, errors.ErrUnsupported }

func (*kept) removeService(string) error { return errors.ErrUnsupported }

func (*kept) putBack(string) error { return errors.ErrUnsupported }

func logonIDs() []string { return nil }

func queryService(string) (state, code uint32, err error) { return 0, 0, errors.ErrUnsupported }

func removeService(string) error { return errors.ErrUnsupported }

func addEventSource() error { return errors.ErrUnsupported }

func hasEventSource() bool { return false }

func removeEventSource() error { return errors.ErrUnsupported }

func programFiles() string { return "" }

func isElevated() bool { return false }

func desktopUser() string { return "" }
