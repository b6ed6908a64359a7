// Maxim's page "Generations" in the calls that maxim-go really has. Its Go code does not compile: names are pointers,
// message types moved to the package schemas, and the result needs a span's or trace's real method names.
//
// Usage: seed URL KEY
package main

import (
	"log"
	"os"
	"time"

	"github.com/google/uuid"
	maxim "github.com/maximhq/maxim-go"
	"github.com/maximhq/maxim-go/logging"
	"github.com/maximhq/maxim-go/schemas"
)

func main() {
	client := maxim.Init(&maxim.MaximSDKConfig{BaseUrl: &os.Args[1], ApiKey: os.Args[2]})
	defer client.Cleanup()
	logger, err := client.GetLogger(&logging.LoggerConfig{Id: "repo-seed"})
	if err != nil {
		log.Fatal(err)
	}
	trace := logger.Trace(&logging.TraceConfig{Id: "trace-id"})

	generation := trace.AddGeneration(&logging.GenerationConfig{
		Id:       "generation-id",
		Name:     maxim.StrPtr("customer-support--gather-information"),
		Provider: "openai",
		Model:    "gpt-4o",
		Messages: []schemas.CompletionRequest{
			{
				Role:    "system",
				Content: "you are a helpful assistant who helps gather customer information",
			},
			{
				Role:    "user",
				Content: "My internet is not working",
			},
		},
		ModelParameters: map[string]interface{}{"temperature": 0.7},
	})

	generation.SetResult(map[string]interface{}{
		"id":      uuid.New().String(),
		"model":   "gpt-4o",
		"created": time.Now().Unix(),
		"choices": []map[string]interface{}{
			{
				"message": map[string]interface{}{
					"role":    "assistant",
					"content": "Hello, world!",
				},
			},
		},
		"usage": map[string]interface{}{
			"prompt_tokens":     10,
			"completion_tokens": 10,
			"total_tokens":      20,
		},
	})
}
