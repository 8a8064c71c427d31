package install

import "fmt"

// Earlier is a service that another one is to replace, with all that it takes to make it again.
type Earlier struct {
	name string
	*kept
}

// ReadEarlier reads a service as it is, for which it takes an administrator. It is nil if there is none.
func ReadEarlier(name string) (*Earlier, error) {
	k, err := readKept(name)
	if err != nil {
		return nil, fmt.Errorf("read service %s: %w", name, err)
	}
	if k == nil {
		return nil, nil
	}
	return &Earlier{name, k}, nil
}

// RemoveService ends the service, and removes it when it has ended. It is gone when nobody looks at it any more,
// which is waited for.
func (e *Earlier) RemoveService() error {
	if err := e.removeService(e.name); err != nil {
		return fmt.Errorf("remove service %s: %w", e.name, err)
	}
	return nil
}

// PutBack makes the service again as it was, if it is not there, and starts it if it ran. A password of its
// account can't be read, so that a service with one is refused; triggers and who may control it are not kept.
func (e *Earlier) PutBack() error {
	if err := e.putBack(e.name); err != nil {
		return fmt.Errorf("put service %s back: %w", e.name, err)
	}
	return nil
}

// WasRunning tells whether it ran when it was read.
func (e *Earlier) WasRunning() bool { return e.ran }
