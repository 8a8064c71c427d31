package lab

import "context"

func Again[T any](ctx context.Context, start func() (T, error)) (T, error) { return again(ctx, start) }
