package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32s returns a copy of the elements of an F32, F16, BF16 or I8 tensor; all
// of them are exact in float32. Other types are an error.
func (t *Tensor) Float32s() ([]float32, error) {
	size := t.DType.Size()
	var decode func(b []byte) float32
	switch t.DType {
	case F32:
		decode = func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
	case F16:
		decode = func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) }
	case BF16:
		decode = func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }
	case I8:
		decode = func(b []byte) float32 { return float32(int8(b[0])) }
	default:
		return nil, fmt.Errorf("tensor %q: %s is not read as float32", t.Name, t.DType)
	}
	values := make([]float32, len(t.Data)/size)
	for i := range values {
		values[i] = decode(t.Data[i*size:])
	}
	return values, nil
}

// half returns the value of an IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or denormal: fraction · 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Int64s returns a copy of the elements of an I64 tensor.
func (t *Tensor) Int64s() ([]int64, error) {
	if t.DType != I64 {
		return nil, fmt.Errorf("tensor %q: %s is not read as int64", t.Name, t.DType)
	}
	values := make([]int64, len(t.Data)/8)
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
	}
	return values, nil
}

// NewFloat32 returns an F32 tensor with a copy of values.
func NewFloat32(name string, values []float32, shape ...int) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Tensor{Name: name, DType: F32, Shape: shape, Data: data}
}

// NewInt64 returns an I64 tensor with a copy of values.
func NewInt64(name string, values []int64, shape ...int) Tensor {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	return Tensor{Name: name, DType: I64, Shape: shape, Data: data}
}
