package sensor

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// word is a word as Sensirion's chips send it.
func word(v uint16) string {
	b := []byte{byte(v >> 8), byte(v)}
	return string(append(b, crc8(b)))
}

// le and be are numbers of two bytes.
func le(values ...int) (all []byte) {
	for _, v := range values {
		all = append(all, byte(v), byte(v>>8))
	}
	return all
}

func be(values ...int) (all []byte) {
	for _, v := range values {
		all = append(all, byte(v>>8), byte(v))
	}
	return all
}

// at is a bus with one chip.
func at(address uint16, s *sim) map[uint16]*sim { return map[uint16]*sim{address: s} }

// The worked example of the BMP280's data sheet, section 3.12.
var (
	bmp280Calibration = le(27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
	bmp280Raw         = []byte{415148 >> 12, 415148 >> 4 & 0xff, 415148 & 15 << 4, 519888 >> 12, 519888 >> 4 & 0xff, 519888 & 15 << 4}
)

// bmp180 is the worked example of the BMP180's data sheet, section 3.5, at the
// highest resolution.
func bmp180Sim() *sim {
	s := (&sim{}).block(0xaa, be(408, -72, -14383, 32741, 32757, 23153, 6190, 4, -32768, -8711, 2868)...).block(0xd0, 0x55)
	s.wrote = func(s *sim, register int, command byte) {
		if register == 0xf4 && command == 0x2e {
			s.block(0xf6, be(27898)...)
		} else if register == 0xf4 {
			s.block(0xf6, 0x5d, 0x23, 0)
		}
	}
	return s
}

func inertialSim(identity byte) *sim {
	return (&sim{}).block(0x0f, identity).block(0x20, le(256, 1000, -1000, 0, 16384, -8192, 0)...)
}

func vl53l1xSim() *sim {
	s := &sim{wide: true, fixed: []int{0x00e5}, restart: "\x00\x00\x01"}
	return s.block(0x010f, 0xea, 0xcc).block(0x00e5, 1).block(0x0006, be(0x1000)...).block(0x00de, be(0x0400)...).
		block(0x0060, 0x0f).block(0x0063, 0x0d).
		block(0x0089, 9, 0, 1, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1000>>8, 1000&0xff, 4, 0)
}

func amg88xxSim() *sim {
	s := (&sim{}).block(0x80)
	for i := range 64 {
		s.block(0x80+2*i, le(100)...)
	}
	return s.block(0x80, le(-40&0xfff)...).block(0x82, le(120)...)
}

// chipTests has every driver once: its registers in a state, and what it then
// measures.
var chipTests = map[string]struct {
	chips func() map[uint16]*sim
	want  []float64
}{
	"bme280": {func() map[uint16]*sim {
		return at(0x76, (&sim{restart: "\xe0\xb6"}).block(0xd0, 0x60).block(0x88, bmp280Calibration...).block(0xa1, 75).
			block(0xe1, append(le(365), 0, 0x14, 0x22, 0x03, 0x1e)...).block(0xf7, bmp280Raw...).block(0xfd, be(28000)...))
	}, []float64{25.08, bme280Humidity(28000), 100653}},
	"bmp180": {func() map[uint16]*sim { return at(0x77, bmp180Sim()) }, []float64{15.0, 69964}},
	"bmp280": {func() map[uint16]*sim {
		return at(0x76, (&sim{}).block(0xd0, 0x58).block(0x88, bmp280Calibration...).block(0xf7, bmp280Raw...))
	}, []float64{25.08, 100656}},
	"bmp388": {func() map[uint16]*sim {
		return at(0x77, (&sim{}).block(0x00, 0x50).block(0x31, bmp388Calibration...).block(0x04, 0, 0, 0x66, 0, 0, 0x80))
	}, bmp388Want(0x800000, 0x660000)},
	"lps22hb": {func() map[uint16]*sim {
		return at(0x5c, (&sim{fixed: []int{0x11}}).block(0x28, 0x00, 0x54, 0x3f).block(0x2b, le(-2500)...))
	}, []float64{-25, 101325}},
	"aht20": {func() map[uint16]*sim {
		answer := []byte{0x18, 0x80, 0x00, 0x06, 0x00, 0x00}
		return at(0x38, &sim{answers: map[string]string{"\x71": "\x18", "\xac\x33\x00": string(append(answer, crc8(answer)))}})
	}, []float64{25, 50}},
	"sht3x": {func() map[uint16]*sim {
		return at(0x44, &sim{answers: map[string]string{"\x24\x00": word(26214) + word(32768)}})
	}, []float64{25, 50}},
	"sht4x": {func() map[uint16]*sim {
		return at(0x44, &sim{answers: map[string]string{"\xfd": word(26214) + word(32768)}})
	}, []float64{24.998, 56.5}},
	"shtc3": {func() map[uint16]*sim {
		return at(0x70, &sim{answers: map[string]string{"\x7c\xa2": word(26214) + word(32768), "\x78\x66": word(26214) + word(32768)}})
	}, []float64{24.998, 50}},
	"tmp102":  {func() map[uint16]*sim { return at(0x48, &sim{words: map[int]uint16{0: 0xe700}}) }, []float64{-25}},
	"mcp9808": {func() map[uint16]*sim { return at(0x18, &sim{words: map[int]uint16{5: 0xde70}}) }, []float64{-25}},
	"adt7410": {func() map[uint16]*sim { return at(0x48, (&sim{}).block(0, be(-3200)...)) }, []float64{-25}},
	"lm75":    {func() map[uint16]*sim { return at(0x48, &sim{words: map[int]uint16{0: 0x1980}}) }, []float64{25.5}},
	"bh1750":  {func() map[uint16]*sim { return at(0x23, &sim{answers: map[string]string{"\x10": "\x02\x58"}}) }, []float64{500}},
	"veml6070": {func() map[uint16]*sim {
		return map[uint16]*sim{0x39: (&sim{}).block(0, 3), 0x38: (&sim{mask: 1 << 8}).block(0, 0xe8)}
	}, []float64{50}},
	"apds9960": {func() map[uint16]*sim { return at(0x39, (&sim{}).block(0x94, le(1000, 600, 300, 200)...)) }, []float64{600, 300, 200, 1000}},
	"sgp30": {func() map[uint16]*sim {
		return at(0x58, &sim{answers: map[string]string{"\x20\x08": word(450) + word(12)}})
	}, []float64{450, 12}},
	"scd4x": {func() map[uint16]*sim { // the worked example of the data sheet, section 3.5.2
		return at(0x62, &sim{answers: map[string]string{"\xe4\xb8": word(0x8006), "\xec\x05": "\x01\xf4\x33\x66\x67\xa2\x5e\xb9\x3c"}})
	}, []float64{500, 25, 37}},
	"ens160": {func() map[uint16]*sim {
		return at(0x53, (&sim{}).block(0x20, 0x02).block(0x21, append([]byte{2}, le(150, 640)...)...))
	}, []float64{640, 150, 2}},
	"mpu6050": {func() map[uint16]*sim {
		return at(0x68, (&sim{}).block(0x3b, be(16384, -8192, 0)...).block(0x43, be(131, -1310, 0)...))
	}, []float64{1, -0.5, 0, 1, -10, 0}},
	"mpu9150": {func() map[uint16]*sim {
		return at(0x68, (&sim{}).block(0x3b, be(16384, -8192, 0)...).block(0x43, be(131, -1310, 0)...))
	}, []float64{1, -0.5, 0, 1, -10, 0}},
	"mpu6886": {func() map[uint16]*sim {
		return at(0x68, (&sim{}).block(0x75, 0x19).block(0x3b, be(16384, -8192, 0, -3268, 131, -1310, 0)...))
	}, []float64{1, -0.5, 0, 1, -10, 0, 15}},
	"lsm6ds3":   {func() map[uint16]*sim { return at(0x6a, inertialSim(0x69)) }, []float64{1, -0.5, 0, 35, -35, 0, 41}},
	"lsm6ds3tr": {func() map[uint16]*sim { return at(0x6a, inertialSim(0x6a)) }, []float64{1, -0.5, 0, 35, -35, 0, 26}},
	"lsm6dsox":  {func() map[uint16]*sim { return at(0x6a, inertialSim(0x6c)) }, []float64{1, -0.5, 0, 35, -35, 0, 26}},
	"lis3dh":    {func() map[uint16]*sim { return at(0x18, (&sim{mask: 0x7f}).block(0x28, le(16384, -8192, 0)...)) }, []float64{1, -0.5, 0}},
	"adxl345":   {func() map[uint16]*sim { return at(0x53, (&sim{}).block(0x32, le(250, -125, 0)...)) }, []float64{1, -0.5, 0}},
	"mma8653":   {func() map[uint16]*sim { return at(0x1d, (&sim{}).block(0x01, be(16384, -8192, 0)...)) }, []float64{1, -0.5, 0}},
	"lis2mdl":   {func() map[uint16]*sim { return at(0x1e, (&sim{}).block(0x68, le(100, -200, 0)...)) }, []float64{15, -30, 0}},
	"mag3110":   {func() map[uint16]*sim { return at(0x0e, (&sim{}).block(0x01, be(100, -200, 0)...)) }, []float64{10, -20, 0}},
	"hmc5883l":  {func() map[uint16]*sim { return at(0x1e, (&sim{}).block(0x03, be(545, 0, -109)...)) }, []float64{50, -10, 0}},
	"ina219":    {func() map[uint16]*sim { return at(0x40, &sim{words: map[int]uint16{2: 6000 << 3, 3: 500, 4: 1000}}) }, []float64{24, 0.1, 1}},
	"ina260":    {func() map[uint16]*sim { return at(0x40, &sim{words: map[int]uint16{1: 0xff38, 2: 4000, 3: 125}}) }, []float64{5, -0.25, 1.25}},
	"ina3221": {func() map[uint16]*sim {
		return at(0x40, &sim{words: map[int]uint16{0xfe: 0x5449, 0xff: 0x3220, 1: 250 << 3, 2: 412 << 3, 3: 0xfff8, 4: 625 << 3, 6: 1500 << 3}})
	}, []float64{3.296, 0.1, 5, -0.0004, 12, 0}},
	"ads1115": {func() map[uint16]*sim { return at(0x48, &sim{words: map[int]uint16{0: 0xe000}}) }, []float64{-1.024, -1.024, -1.024, -1.024}},
	"vl53l1x": {func() map[uint16]*sim { return at(0x29, vl53l1xSim()) }, []float64{0.982}},
	"vl6180x": {func() map[uint16]*sim {
		return at(0x29, (&sim{wide: true}).block(0, 0xb4).block(0x16, 1).block(0x4d, 1).block(0x4f, 4).block(0x62, 120))
	}, []float64{0.12}},
	"amg88xx": {func() map[uint16]*sim { return at(0x69, amg88xxSim()) }, []float64{25 - 35./64 + 5./64, -10, 30}},
}

// bme280Humidity is the formula of the BME280's data sheet, section 8.1, for the
// coefficients above.
func bme280Humidity(raw float64) float64 {
	const fine = 128422 // t_fine of the example
	h := float64(fine) - 76800
	h = (raw - (0x142*64 + 0x32/16384.*h)) * (365 / 65536. * (1 + 30/67108864.*h*(1+0/67108864.*h)))
	return h * (1 - 75*h/524288)
}

// bmp388Calibration are coefficients in the range of real chips.
var bmp388Calibration = slices.Concat(le(27772, 18958), []byte{0xf6}, le(1000, -1400), []byte{35, 0}, le(24860, 30520), []byte{0xf3, 0xf6}, le(16000), []byte{18, 0xc4})

// bmp388Want is the compensation in floating point of the BMP388's data sheet,
// section 9.
func bmp388Want(rawT, rawP float64) []float64 {
	t1, t2, t3 := 27772*256., 18958/math.Pow(2, 30), -10/math.Pow(2, 48)
	d := rawT - t1
	t := d*t2 + d*d*t3
	p1, p2, p3, p4 := (1000-16384)/math.Pow(2, 20), (-1400-16384)/math.Pow(2, 29), 35/math.Pow(2, 32), 0.
	p5, p6, p7, p8 := 24860*8., 30520/64., -13/256., -10/math.Pow(2, 15)
	p9, p10, p11 := 16000/math.Pow(2, 48), 18/math.Pow(2, 48), -60/math.Pow(2, 65)
	offset := p5 + p6*t + p7*t*t + p8*t*t*t
	slope := rawP * (p1 + p2*t + p3*t*t + p4*t*t*t)
	return []float64{t, offset + slope + rawP*rawP*(p9+p10*t) + rawP*rawP*rawP*p11}
}

// onBus makes a polled sensor of a driver and a bus.
func onBus(t *testing.T, name string, bus Bus) *polled {
	c := Config{Alias: "chip", Type: I2C, Driver: name, Bus: "1"}
	require.NoError(t, c.Check())
	c = c.WithDefaults()
	p := newPoller("1", 0, nil)
	p.add(0, c, newI2CSensor(c, &lazyBus{open: func(string) (Bus, error) { return bus, nil }}))
	return p.sensors[0]
}

// measure configures and reads.
func measure(s *polled) error {
	s.configured = false
	if _, err := s.call(); err != nil {
		return err
	}
	s.configured = true
	_, err := s.call()
	return err
}

func TestEveryChipMeasures(t *testing.T) {
	require.Equal(t, slices.Sorted(maps.Keys(table)), slices.Sorted(maps.Keys(chipTests)), "every driver has its test")
	for name, c := range chipTests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := onBus(t, name, &simBus{chips: c.chips(), fails: -1})
				require.NoError(t, measure(s))
				require.Len(t, s.values, len(c.want))
				for i, want := range c.want {
					require.InDelta(t, want, s.values[i], 1e-3*max(math.Abs(want), 2), s.names[i])
				}
			})
		})
	}
}

// Every transfer of every chip fails once: no bus error may become a reading
// (reliability rows 31 and 34).
func TestRow31EveryTransferOfEveryChipFails(t *testing.T) {
	for name, c := range chipTests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := &simBus{chips: c.chips(), fails: -1}
				require.NoError(t, measure(onBus(t, name, whole)))
				require.Positive(t, whole.transfers)
				for n := range whole.transfers {
					bus := &simBus{chips: c.chips(), fails: n}
					s := onBus(t, name, bus)
					require.ErrorIs(t, measure(s), ErrUnplugged, "transfer %d", n)
					require.Equal(t, n+1, bus.transfers, "the driver went on after transfer %d", n)
					require.NoError(t, measure(s), "it comes back")
					require.InDelta(t, c.want[0], s.values[0], 1e-3*max(math.Abs(c.want[0]), 2))
				}
			})
		})
	}
}

// Whatever a bus makes up, all zeros, all ones or noise, a call ends in time
// (reliability rows 35 and 36), and what it gives is finite.
func TestRow35EveryChipEndsInTime(t *testing.T) {
	noises := map[string]func() byte{"zeros": func() byte { return 0 }, "ones": func() byte { return 0xff }}
	for _, seed := range []uint64{1, 2, 3} {
		random := rand.New(rand.NewPCG(0, seed))
		noises["noise "+string('0'+rune(seed))] = func() byte { return byte(random.Uint32()) }
	}
	for name := range table {
		for kind, noise := range noises {
			synctest.Test(t, func(t *testing.T) {
				s := onBus(t, name, &simBus{noise: noise, fails: -1})
				begun := time.Now()
				_ = measure(s)
				limit := 2*s.config.Timeout.Std() + 600*time.Millisecond
				require.Less(t, time.Since(begun), limit, "%s on %s", name, kind)
			})
		}
	}
}

// A wrong checksum drops the reading (reliability row 36).
func TestRow36WrongChecksum(t *testing.T) {
	for _, name := range []string{"sht3x", "sht4x", "shtc3", "aht20", "sgp30", "scd4x"} {
		synctest.Test(t, func(t *testing.T) {
			chips := chipTests[name].chips()
			for _, s := range chips {
				for command, answer := range s.answers {
					if len(answer) > 3 {
						s.answers[command] = answer[:1] + string(answer[1]^1) + answer[2:]
					}
				}
			}
			require.Error(t, measure(onBus(t, name, &simBus{chips: chips, fails: -1})), name)
		})
	}
}

// The ends of the range keep their sign, whatever the drivers compute in.
func TestEndsOfTheRange(t *testing.T) {
	for name, c := range map[string]struct {
		register int
		values   int // from there
		order    func(...int) []byte
	}{
		"lsm6ds3": {0x22, 6, le}, "lsm6ds3tr": {0x22, 6, le}, "lsm6dsox": {0x22, 6, le}, "lis3dh": {0x28, 3, le},
		"mpu6050": {0x3b, 7, be}, "mpu9150": {0x3b, 7, be}, "mpu6886": {0x3b, 7, be}, "mma8653": {0x01, 3, be},
		"lis2mdl": {0x68, 3, le}, "mag3110": {0x01, 3, be}, "hmc5883l": {0x03, 3, be},
	} {
		for _, end := range []int{32767, -32768} {
			synctest.Test(t, func(t *testing.T) {
				chips := chipTests[name].chips()
				for _, s := range chips {
					s.block(c.register, c.order(slices.Repeat([]int{end}, c.values)...)...)
				}
				s := onBus(t, name, &simBus{chips: chips, fails: -1})
				require.NoError(t, measure(s))
				for i, v := range s.values[:min(len(s.values), 6)] {
					require.Equal(t, end > 0, v > 0, "%s %s is %v", name, s.names[i], v)
				}
			})
		}
	}
	for raw, want := range map[uint16]float64{0: -45, 61356: 118.84, 61400: 118.96, 65535: 130} {
		synctest.Test(t, func(t *testing.T) {
			hot := at(0x44, &sim{answers: map[string]string{"\x24\x00": word(raw) + word(0)}})
			s := onBus(t, "sht3x", &simBus{chips: hot, fails: -1})
			require.NoError(t, measure(s))
			require.InDelta(t, want, s.values[0], 0.01)
		})
	}
}

// What works and has nothing to say is no failure, and is not configured again; a
// fault is one.
func TestNoValue(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *sim)
		want   error
	}{
		{"vl53l1x", func(s *sim) { s.bytes[0x0089] = 4 }, errNoValue},
		{"vl53l1x", func(s *sim) { s.bytes[0x0089] = 1 }, errRangeFault},
		{"vl6180x", func(s *sim) { s.bytes[0x4d] = 0x71 }, errNoValue},
		{"vl6180x", func(s *sim) { s.bytes[0x4d] = 0x51 }, errRangeFault},
		{"ens160", func(s *sim) { s.bytes[0x20] = 0x06 }, errNoValue},
		{"hmc5883l", func(s *sim) { s.block(0x05, be(-4096)...) }, errSaturated},
		{"bh1750", func(s *sim) { s.answers["\x10"] = "\xff\xff" }, errAllOnes},
	} {
		synctest.Test(t, func(t *testing.T) {
			chips := chipTests[c.name].chips()
			for _, s := range chips {
				c.change(s)
			}
			require.ErrorIs(t, measure(onBus(t, c.name, &simBus{chips: chips, fails: -1})), c.want, c.name)
		})
	}
	configured := 0
	p := newPoller("1", 0, func() time.Duration { return time.Second })
	p.add(0, light("desk").WithDefaults(), &noValue{&fakeDevice{}, &configured})
	var l log
	for range 3 {
		require.NoError(t, p.step(p.sensors[0], l.deliver))
	}
	require.Equal(t, 1, configured)
	require.Len(t, l.all(), 2)
	require.Empty(t, l.errors())
	require.Empty(t, l.values())
}

// noValue is a device with nothing to say.
type noValue struct {
	device
	configured *int
}

func (d *noValue) configure() (time.Duration, error) { *d.configured++; return 0, nil }
func (d *noValue) read([]float64) error              { return errNoValue }

func TestRegisterValues(t *testing.T) {
	for _, c := range []struct {
		register Register
		data     []byte
		want     float64
	}{
		{Register{Width: 1}, []byte{0xff}, 255},
		{Register{Width: 1, Signed: true}, []byte{0xff}, -1},
		{Register{Width: 2, Signed: true, Scale: 0.0625}, []byte{0xff, 0xf0}, -1},
		{Register{Width: 2, Endian: little, Scale: 2, Offset: 5}, []byte{0x01, 0x02}, 2*0x0201 + 5},
		{Register{Width: 3, Endian: little, Signed: true}, []byte{0, 0, 0x80}, -1 << 23},
		{Register{Width: 4}, []byte{0xff, 0xff, 0xff, 0xff}, 1<<32 - 1},
		{Register{Width: 4, Signed: true}, []byte{0x80, 0, 0, 0}, -1 << 31},
		{Register{Width: 2, Bits: 13, Signed: true}, []byte{0xdf, 0xff}, -1},
		{Register{Width: 2, Bits: 12}, []byte{0xff, 0xff}, 0xfff},
	} {
		require.Equal(t, c.want, c.register.value(c.data))
	}
}

func TestRegistersDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Config{Alias: "probe", Type: I2C, Driver: Registers, Bus: "1", Address: 0x48,
			Setup:     [][]uint8{{0x10, 0x60}},
			Registers: []Register{{Name: "heat", Unit: "°C", Register: 0, Width: 2, Signed: true, Scale: 1. / 128}}}
		require.NoError(t, c.Check())
		require.Equal(t, []string{"probe.heat"}, c.ChannelNames())
		chip := (&sim{}).block(0, be(-128)...)
		p := newPoller("1", 0, nil)
		c = c.WithDefaults()
		bus := &simBus{chips: at(0x48, chip), fails: -1}
		p.add(0, c, newI2CSensor(c, &lazyBus{open: func(string) (Bus, error) { return bus, nil }}))
		require.NoError(t, measure(p.sensors[0]))
		require.Equal(t, []float64{-1}, p.sensors[0].values)
		require.Equal(t, byte(0x60), chip.bytes[0x10], "the setup was written")
	})
}
