package doctor

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ragedge/ragedge/result"
)

// socket looks at who may use the API.
func (v *visit) socket() {
	for _, entry := range v.Config.API.Listen {
		file, ok := strings.CutPrefix(entry, "unix:")
		if !ok {
			continue
		}
		info, err := fs.Stat(v.Root, below(file))
		if err != nil {
			continue // that no daemon answers is said already
		}
		_, gid, known := v.Owner(info)
		if group := v.groupName(gid); known && v.unit != nil && group != serviceGroup {
			v.add(Warning, fmt.Sprintf("the socket %s belongs to group %s", file, group),
				"members of group "+serviceGroup+" may not use it: a daemon that was started by hand made it, or Group= of the unit is another", "rm "+file, "systemctl restart ragedge")
			continue
		}
		v.ok("the socket %s is there, for group %s", file, v.groupName(gid))
	}
}

func (v *visit) clock() {
	good := v.Synchronised() || v.exists("/run/systemd/timesync/synchronized")
	if s := v.Status; s != nil && s.TimeQuality == result.Synced {
		good = true
	} else if s != nil && good && s.TimeQuality == result.Unsynced {
		v.add(Note, "the clock is right, but the daemon does not know", "the unit may not ask the kernel, and only systemd-timesyncd leaves a mark: with chrony or ntpd it needs a drop-in",
			"install -D -m 644 systemd/30-chrony.conf /etc/systemd/system/ragedge.service.d/30-chrony.conf", "systemctl daemon-reload && systemctl restart ragedge")
		return
	}
	if good {
		v.ok("the clock is synchronised")
		return
	}
	why := "Results carry time_quality unsynced until it is"
	if !v.exists("/sys/class/rtc/rtc0") {
		why += ". This board has no clock with a battery: after a start without a network its time is wrong"
	}
	v.add(Warning, "the clock is not synchronised", why, "timedatectl set-ntp true")
}

// Governors of cpufreq.
const governors = "/sys/devices/system/cpu/cpu0/cpufreq/"

func (v *visit) cpu() {
	governor := v.text(governors + "scaling_governor")
	switch driver := v.text(governors + "scaling_driver"); {
	case governor == "":
	case governor == "powersave" && !strings.HasPrefix(driver, "intel_") && !strings.HasPrefix(driver, "amd-pstate"):
		v.add(Note, "the CPU stays at its lowest frequency", "its governor is powersave; decisions take two to three times as long as they could",
			"echo schedutil | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")
	default:
		v.ok("the CPU's governor is %s", governor)
	}
}

// throttledBits are those of get_throttled of a Raspberry Pi, now; the same at some
// time since the start are 16 bits higher.
var throttledBits = []string{"undervoltage", "frequency-capped", "throttled", "hot"}

// throttledFile holds them, as a hexadecimal number.
const throttledFile = "/sys/devices/platform/soc/soc:firmware/get_throttled"

// power says what the daemon, or the firmware of a Raspberry Pi, reports of supply
// and heat.
func (v *visit) power() {
	var now, before []string
	known := false
	if bits, err := strconv.ParseUint(strings.TrimPrefix(v.text(throttledFile), "0x"), 16, 32); err == nil {
		known = true
		for i, word := range throttledBits {
			if bits>>i&1 != 0 {
				now = append(now, word)
			}
			if bits>>(16+i)&1 != 0 {
				before = append(before, word)
			}
		}
	} else if s := v.Status; s != nil && s.Power != nil {
		known, now, before = true, s.Power.Degraded, s.Power.SinceBoot
	}
	weak := strings.Contains(strings.Join(now, " ")+" "+strings.Join(before, " "), "undervoltage")
	advice := "cool the board: a heat sink, a fan, or more air"
	if weak {
		advice = "use the board's own power supply, a short cable, and no strong USB devices without supplies of their own"
	}
	switch {
	case len(now) > 0:
		v.add(Warning, "the board is slowed down now: "+strings.Join(now, ", "), advice)
	case len(before) > 0:
		v.add(Note, "since it started the board was at some time: "+strings.Join(before, ", "), advice)
	case known:
		v.ok("supply and temperature are well")
	}
}

func (v *visit) kernels() {
	k := v.Kernels
	switch best := k.Sets[0]; {
	case k.Fault != nil:
		v.add(Problem, "the kernels of set "+k.Set+" compute wrong values on this CPU", k.Fault.Error()+". The daemon notices that itself and runs plain Go; please report it", "ragedge bench --json")
	case v.Status != nil && v.Status.KernelSet != best:
		v.add(Note, fmt.Sprintf("the daemon runs the %s kernels, but this CPU has %s", v.Status.KernelSet, best),
			"RAGEDGE_CPU or --cpu says so in the unit, or its check of the kernels failed at the start", "systemctl cat ragedge", "journalctl -u ragedge -g kernels -n 5 --no-pager")
	case len(k.Sets) == 1:
		v.add(Note, "plain Go computes here", "this CPU, or this build, has no faster kernels: an ARM board needs a 64-bit system, an x86 one AVX2", "ragedge version")
	default:
		v.ok("kernels %s compute the same as plain Go; this CPU can run %s", k.Set, strings.Join(k.Sets, ", "))
	}
}

// leastFree is what the state directory should have left, besides recordings.
const leastFree = 16 << 20

// storage looks at the directories that models come from and recordings go to.
func (v *visit) storage() {
	if model := v.Config.ModelPath(); model != "" {
		dir := filepath.Dir(model)
		if v.accessible(dir, "read", 5, "systemd-tmpfiles --create ragedge.conf") {
			v.room(dir, 0)
		}
	}
	if v.Config.Record.On() {
		record := v.Config.Record.WithDefaults()
		if v.accessible(record.Directory, "write to", 7, fmt.Sprintf("chown -R %s: %s", v.service.name, record.Directory)) {
			v.room(record.Directory, record.MaxBytes-v.recorded())
		}
	}
}

// accessible says whether the service may do with a directory what the bits of want
// say. One that is not there yet, the daemon makes.
func (v *visit) accessible(dir, verb string, want fs.FileMode, fix string) bool {
	info, err := fs.Stat(v.Root, below(dir))
	if err != nil || v.may(&v.service, info, want) {
		return true
	}
	uid, gid, _ := v.Owner(info)
	v.add(Problem, fmt.Sprintf("%s may not %s %s", v.service.name, verb, dir),
		fmt.Sprintf("it belongs to %s, group %s, with mode %04o", v.nameOf(uid), v.groupName(gid), info.Mode().Perm()), fix)
	return false
}

// room checks the free space of a directory that may grow by so many bytes.
func (v *visit) room(dir string, more int64) {
	at := dir
	for at != "/" && !v.exists(at) {
		at = path.Dir(at)
	}
	free, err := v.Free(at)
	switch {
	case err != nil:
		v.add(Note, "the free space of "+at+" is unknown", err.Error())
	case free < leastFree:
		v.add(Problem, fmt.Sprintf("only %d MiB are free for %s", free>>20, dir), "recordings and new models need room", "du -xsh "+dir)
	case free < more:
		v.add(Warning, fmt.Sprintf("%d MiB are free for %s, but recordings may take %d MiB more", free>>20, dir, more>>20),
			"a full disk stops the recording, not the decisions: lower record.max_bytes, or make room", "du -xsh "+dir)
	default:
		v.ok("%s has %d MiB free", dir, free>>20)
	}
}

// recorded is how much of the recordings' quota is used already.
func (v *visit) recorded() int64 {
	if v.Status == nil || v.Status.Record == nil {
		return 0
	}
	return v.Status.Record.Bytes
}

// memory compares what the daemon uses with what the unit lets it have.
func (v *visit) memory() {
	limit := func(property string) int64 {
		n, err := strconv.ParseInt(v.unit.get(property), 10, 64)
		if err != nil {
			return math.MaxInt64
		}
		return n
	}
	if v.unit == nil || v.Status == nil {
		return
	}
	low := min(limit("MemoryHigh"), limit("MemoryMax"))
	used := v.Status.RSSBytes
	switch {
	case low == math.MaxInt64:
		v.ok("memory: %d MiB in use, without a limit", used>>20)
	case used > low/5*4:
		v.add(Warning, fmt.Sprintf("the daemon uses %d of %d MiB that its unit lets it have", used>>20, low>>20),
			"above MemoryHigh= it is slowed down, at MemoryMax= ended: large models and frozen encoders need more",
			fmt.Sprintf("systemctl set-property ragedge.service MemoryHigh=%dM MemoryMax=%dM", 2*used>>20, 3*used>>20))
	default:
		v.ok("memory: %d of %d MiB in use", used>>20, low>>20)
	}
}
