package install

func programRules() string { return "" }
