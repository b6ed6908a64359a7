module genscope.example/maxim_go

go 1.25.0

require (
	github.com/google/uuid v1.6.0
	github.com/maximhq/maxim-go v0.2.1
)
