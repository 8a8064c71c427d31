package install

import "golang.org/x/sys/windows/registry"

func programRules(key string) (count int, mode uint64) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return 0, 0
	}
	defer k.Close()
	rules, _ := k.ReadSubKeyNames(-1)
	mode, _, _ = k.GetIntegerValue("EnforcementMode")
	return len(rules), mode
}
