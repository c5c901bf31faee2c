module github.com/ragedge/ragedge/bench/peers/ortgo

go 1.26.0

require (
	github.com/ragedge/ragedge v0.0.0
	github.com/yalue/onnxruntime_go v1.27.0
)

replace github.com/ragedge/ragedge => ../../..
