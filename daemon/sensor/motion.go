package sensor

import (
	"slices"

	"tinygo.org/x/drivers/adxl345"
	"tinygo.org/x/drivers/lis3dh"
	"tinygo.org/x/drivers/lsm6ds3"
	"tinygo.org/x/drivers/lsm6ds3tr"
	"tinygo.org/x/drivers/lsm6dsox"
	"tinygo.org/x/drivers/mma8653"
	"tinygo.org/x/drivers/mpu6050"
	"tinygo.org/x/drivers/mpu6886"
	"tinygo.org/x/drivers/mpu9150"
)

const moving = "motion"

// motionChips measure acceleration, in the range ±2 g, and rotation: the mpu chips
// up to ±250 °/s, the lsm chips up to ±1000 °/s, above which their drivers' numbers
// would overflow at the end of the range.
var motionChips = map[string]driver{
	"mpu6050": {group: moving, about: "acceleration and rotation, InvenSense", address: 0x68, others: []uint16{0x69},
		identity: identity{register: "\x75", value: "\x68"}, lost: resetTo(0x40, 0x40, 0x6b), lively: lively, settle: 100 * ms,
		readings: slices.Concat(acceleration, rotation), open: openMPU6050},
	"mpu6886": {group: moving, about: "acceleration, rotation and its own temperature, InvenSense", address: 0x68, others: []uint16{0x69},
		identity: identity{register: "\x75", value: "\x19"}, lost: resetTo(0x40, 0x40, 0x6b), lively: lively, timeout: 400 * ms, readings: motion, open: openMPU6886},
	"mpu9150": {group: moving, about: "acceleration and rotation, InvenSense", address: 0x68, others: []uint16{0x69},
		identity: identity{register: "\x75", value: "\x68"}, lost: resetTo(0x40, 0x40, 0x6b), lively: lively, settle: 100 * ms,
		readings: slices.Concat(acceleration, rotation), open: openMPU9150},
	"lsm6ds3": {group: moving, about: "acceleration, rotation and its own temperature, ST", address: 0x6a, others: []uint16{0x6b},
		identity: identity{register: "\x0f", value: "\x69"}, lost: resetTo(0x00, 0xff, 0x10), lively: lively, settle: 100 * ms, readings: motion, open: openLSM6DS3},
	"lsm6ds3tr": {group: moving, about: "acceleration, rotation and its own temperature LSM6DS3TR-C, ST", address: 0x6a, others: []uint16{0x6b},
		identity: identity{register: "\x0f", value: "\x6a"}, lost: resetTo(0x00, 0xff, 0x10), lively: lively, settle: 100 * ms, readings: motion, open: openLSM6DS3TR},
	"lsm6dsox": {group: moving, about: "acceleration, rotation and its own temperature, ST", address: 0x6a, others: []uint16{0x6b},
		identity: identity{register: "\x0f", value: "\x6c"}, lost: resetTo(0x00, 0xff, 0x10), lively: lively, settle: 100 * ms, readings: motion, open: openLSM6DSOX},
	"lis3dh": {group: moving, about: "acceleration, ST", address: 0x18, others: []uint16{0x19},
		identity: identity{register: "\x0f", value: "\x33"}, lost: resetTo(0x07, 0xff, 0x20), settle: 20 * ms, readings: acceleration, open: openLIS3DH},
	"adxl345": {group: moving, about: "acceleration, Analog Devices", address: 0x53, others: []uint16{0x1d},
		identity: identity{register: "\x00", value: "\xe5"}, lost: resetTo(0x00, 0xff, 0x2d), settle: 20 * ms, readings: acceleration, open: openADXL345},
	"mma8653": {group: moving, about: "acceleration, NXP", address: 0x1d,
		identity: identity{register: "\x0d", value: "\x5a"}, lost: resetTo(0x00, 0xff, 0x2a), settle: 50 * ms, readings: acceleration, open: openMMA8653},
}

// The drivers' units in ours.
const (
	micro = 1e-6
	milli = 1e-3
)

func openMPU6050(bus *transfers, c Config) chip {
	d := mpu6050.New(bus)
	d.Address = c.Address
	configure := func() error {
		d.Configure()
		d.SetFullScaleAccelRange(0)
		return d.SetFullScaleGyroRange(0)
	}
	return chip{configure, func(values []float64) error {
		x, y, z := d.ReadAcceleration()
		vector(values, x, y, z, micro)
		x, y, z = d.ReadRotation()
		vector(values[3:], x, y, z, micro)
		return nil
	}}
}

func openMPU9150(bus *transfers, c Config) chip {
	d := mpu9150.New(bus)
	d.Address = c.Address
	configure := func() error {
		d.Configure()
		d.SetFullScaleAccelRange(0)
		return d.SetFullScaleGyroRange(0)
	}
	return chip{configure, func(values []float64) error {
		x, y, z := d.ReadAcceleration(mpu9150.ACCEL_XOUT_H)
		vector(values, x, y, z, micro)
		x, y, z = d.ReadRotation(mpu9150.GYRO_XOUT_H)
		vector(values[3:], x, y, z, micro)
		return nil
	}}
}

// inertial is what the drivers of chips for acceleration, rotation and
// temperature have in common.
type inertial interface {
	ReadAcceleration() (x, y, z int32, err error)
	ReadRotation() (x, y, z int32, err error)
	ReadTemperature() (int32, error)
}

func readMotion(d inertial, values []float64) error {
	x, y, z, err := d.ReadAcceleration()
	if err != nil {
		return err
	}
	vector(values, x, y, z, micro)
	if x, y, z, err = d.ReadRotation(); err != nil {
		return err
	}
	vector(values[3:], x, y, z, micro)
	t, err := d.ReadTemperature()
	values[6] = float64(t) * milli
	return err
}

func openMPU6886(bus *transfers, c Config) chip {
	d := mpu6886.New(bus)
	d.Address = c.Address
	configure := func() error { return d.Configure(mpu6886.Config{}) }
	return chip{configure, func(values []float64) error { return readMotion(d, values) }}
}

func openLSM6DS3(bus *transfers, c Config) chip {
	d := lsm6ds3.New(bus)
	d.Address = c.Address
	configure := func() error {
		return d.Configure(lsm6ds3.Configuration{GyroRange: lsm6ds3.GYRO_1000DPS})
	}
	return chip{configure, func(values []float64) error { return readMotion(d, values) }}
}

func openLSM6DS3TR(bus *transfers, c Config) chip {
	d := lsm6ds3tr.New(bus)
	d.Address = c.Address
	configure := func() error {
		return d.Configure(lsm6ds3tr.Configuration{
			AccelRange: lsm6ds3tr.ACCEL_2G, AccelSampleRate: lsm6ds3tr.ACCEL_SR_104,
			GyroRange: lsm6ds3tr.GYRO_1000DPS, GyroSampleRate: lsm6ds3tr.GYRO_SR_104,
		})
	}
	return chip{configure, func(values []float64) error { return readMotion(d, values) }}
}

func openLSM6DSOX(bus *transfers, c Config) chip {
	d := lsm6dsox.New(bus)
	d.Address = c.Address
	configure := func() error {
		return d.Configure(lsm6dsox.Configuration{
			AccelRange: lsm6dsox.ACCEL_2G, AccelSampleRate: lsm6dsox.ACCEL_SR_104,
			GyroRange: lsm6dsox.GYRO_1000DPS, GyroSampleRate: lsm6dsox.GYRO_SR_104,
		})
	}
	return chip{configure, func(values []float64) error { return readMotion(d, values) }}
}

func openLIS3DH(bus *transfers, c Config) chip {
	d := lis3dh.New(bus)
	configure := func() error { return d.Configure(lis3dh.Config{Address: c.Address}) }
	return chip{configure, func(values []float64) error {
		x, y, z, err := d.ReadAcceleration()
		vector(values, x, y, z, micro)
		return err
	}}
}

func openADXL345(bus *transfers, c Config) chip {
	d := adxl345.New(bus)
	d.Address = c.Address
	return chip{always(d.Configure), func(values []float64) error {
		x, y, z, err := d.ReadAcceleration()
		vector(values, x, y, z, milli)
		return err
	}}
}

func openMMA8653(bus *transfers, c Config) chip {
	d := mma8653.New(bus)
	d.Address = c.Address
	configure := func() error { return d.Configure(mma8653.DataRate100Hz, mma8653.Sensitivity2G) }
	return chip{configure, func(values []float64) error {
		x, y, z, err := d.ReadAcceleration()
		vector(values, x, y, z, micro)
		return err
	}}
}
