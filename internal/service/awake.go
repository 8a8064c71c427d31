package service

import "context"

// ResumeEvents tells a program of its own accord each time the machine has woken up, until
// ctx ends; a service has that from its Control. It is nil where nobody tells.
func ResumeEvents(ctx context.Context) <-chan struct{} {
	woken := make(chan struct{}, 1)
	if !onResume(ctx, func() {
		select {
		case woken <- struct{}{}:
		default: // the one before is not even noticed
		}
	}) {
		return nil
	}
	return woken
}
