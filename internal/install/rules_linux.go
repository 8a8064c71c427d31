package install

func programRules(string) (count int, mode uint64) { return 0, 0 }
