package bench

import (
	"cmp"
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// Machine says what was measured.
type Machine struct {
	Board    string `json:"board,omitempty"` // from the device tree
	CPU      string `json:"cpu,omitempty"`
	CPUs     int    `json:"cpus"`
	Platform string `json:"platform"`
	Go       string `json:"go"`
	L1       int    `json:"l1_bytes,omitempty"` // of data, of the first CPU; 0: the kernel does not say
	L2       int    `json:"l2_bytes,omitempty"`
	Largest  int    `json:"largest_cache_bytes,omitempty"`
}

func readMachine(root fs.FS) Machine {
	m := Machine{
		Board: text(root, "proc/device-tree/model"), CPU: cpuName(root), CPUs: runtime.NumCPU(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
	for _, cache := range glob(root, "sys/devices/system/cpu/cpu0/cache/index*") {
		size, ok := cacheSize(text(root, path.Join(cache, "size")))
		if !ok || text(root, path.Join(cache, "type")) == "Instruction" {
			continue
		}
		switch text(root, path.Join(cache, "level")) {
		case "1":
			m.L1 = size
		case "2":
			m.L2 = size
		}
		m.Largest = max(m.Largest, size)
	}
	return m
}

// level is one level of the memory, and the size of the buffer to measure it with.
type level struct {
	name  string
	holds int // bytes; 0: any number
	bytes int
}

// levels chooses a buffer of half a cache's size for each cache, of the smallest in
// use where the kernel does not say, and one that no cache holds for the memory.
func (m Machine) levels() []level {
	const l1, l2, least, most = 16 << 10, 128 << 10, 16 << 20, 64 << 20
	first, second := cmp.Or(m.L1, l1), cmp.Or(m.L2, l2)
	return []level{
		{"L1", first, first / 2 &^ 1023},
		{"L2", second, max(second/2&^1023, 2*first)},
		{"memory", 0, min(max(4*m.Largest, least), most)},
	}
}

// armParts names the cores of common boards; ARM kernels give numbers only.
var armParts = map[string]string{
	"0xb76": "ARM1176", "0xc07": "Cortex-A7", "0xd03": "Cortex-A53", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57",
	"0xd08": "Cortex-A72", "0xd0b": "Cortex-A76", "0xd0c": "Neoverse N1", "0xd40": "Neoverse V1", "0xd42": "Cortex-A78AE",
}

func cpuName(root fs.FS) string {
	info := fields(root)
	if name := info["model name"]; name != "" && info["CPU part"] == "" {
		return name
	}
	if name, ok := armParts[info["CPU part"]]; ok && info["CPU implementer"] == "0x41" {
		return name
	}
	return info["uarch"] // RISC-V
}

// fields returns the first value of every key in /proc/cpuinfo.
func fields(root fs.FS) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text(root, "proc/cpuinfo")) {
		key, value, _ := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); all[key] == "" {
			all[key] = strings.TrimSpace(value)
		}
	}
	return all
}

// cacheSize reads sizes as in 32K, up to 256 MiB.
func cacheSize(s string) (bytes int, ok bool) {
	unit := 1
	switch {
	case strings.HasSuffix(s, "K"):
		unit = 1 << 10
	case strings.HasSuffix(s, "M"):
		unit = 1 << 20
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "KM"))
	return n * unit, err == nil && n > 0 && n <= 256<<20/unit
}

// text returns what a file of the kernel holds, "" when there is none.
func text(root fs.FS, name string) string {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), " \n\x00")
}

func glob(root fs.FS, pattern string) []string {
	names, _ := fs.Glob(root, pattern) // the patterns are right, and folders may be missing
	return names
}
