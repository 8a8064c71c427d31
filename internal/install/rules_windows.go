package install

import "golang.org/x/sys/windows/registry"

func programRules() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, rulesKey, registry.QUERY_VALUE|registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return ""
	}
	defer k.Close()
	rules, _ := k.ReadSubKeyNames(-1)
	mode, _, _ := k.GetIntegerValue("EnforcementMode")
	return rulesWords(len(rules), mode)
}
