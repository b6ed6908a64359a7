// A support bot gathers information from a customer: Maxim's SDK for Go.
//
//	make example-maxim_go
//
// In a project of your own: go get github.com/maximhq/maxim-go@v0.2.1 && go run main.go. GENSCOPE_URL says where the
// server is, by default where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/google/uuid"
	maxim "github.com/maximhq/maxim-go"
	"github.com/maximhq/maxim-go/logging"
	"github.com/maximhq/maxim-go/schemas"
)

const (
	question = "My internet is not working"
	answer   = "Sorry to hear that. Can you please share your customer id?"
)

var messages = []schemas.CompletionRequest{
	{Role: "system", Content: "You gather information from customers of an internet provider."},
	{Role: "user", Content: question},
}

// callModel stands in for the client of your model's provider.
func callModel() (schemas.ChatCompletionResult, error) {
	message := schemas.ChatCompletionMessage{Role: "assistant", Content: maxim.StrPtr(answer)}
	return schemas.ChatCompletionResult{
		ID:      "chatcmpl-123",
		Model:   "gpt-4o",
		Choices: []schemas.ChatCompletionChoice{{Message: message, FinishReason: "stop"}},
		Usage:   schemas.Usage{PromptTokens: 100, CompletionTokens: 50, TotalTokens: 150},
	}, nil
}

// callOverloadedModel fails as a provider does that has too much to do.
func callOverloadedModel() (schemas.ChatCompletionResult, error) {
	return schemas.ChatCompletionResult{}, errors.New("the model is overloaded")
}

// config returns what is known of a call before it is made.
func config(name string) *logging.GenerationConfig {
	return &logging.GenerationConfig{
		Id:              "generation-" + uuid.NewString(),
		Name:            maxim.StrPtr(name),
		Provider:        logging.ProviderOpenAI,
		Model:           "gpt-4o",
		ModelParameters: map[string]interface{}{"temperature": 0.7},
		Messages:        messages,
	}
}

// record logs how a call ended.
func record(generation *logging.Generation, result schemas.ChatCompletionResult, err error) {
	if err != nil {
		generation.SetError(&schemas.GenerationError{Message: err.Error(), Code: maxim.StrPtr("529")})
		return
	}
	generation.SetResult(result)
	generation.End()
}

func main() {
	url := cmp.Or(os.Getenv("GENSCOPE_URL"), "http://127.0.0.1:4318")
	client := maxim.Init(&maxim.MaximSDKConfig{BaseUrl: &url, ApiKey: os.Getenv("GENSCOPE_SECRET_KEY")})
	logger, err := client.GetLogger(&logging.LoggerConfig{Id: "support"})
	if err != nil {
		log.Fatal(err)
	}

	session := logger.Session(&logging.SessionConfig{Id: "session-" + uuid.NewString(), Name: maxim.StrPtr("support")})
	trace := session.AddTrace(&logging.TraceConfig{
		Id:   "trace-" + uuid.NewString(),
		Name: maxim.StrPtr("answer-customer"),
		Tags: &map[string]string{"channel": "chat"},
	})
	trace.SetInput(question)

	span := trace.AddSpan(&logging.SpanConfig{Id: "span-" + uuid.NewString(), Name: maxim.StrPtr("gather-information")})
	generation := span.AddGeneration(config("ask-for-customer-id"))
	result, err := callModel()
	record(generation, result, err)
	span.End()

	failing := trace.AddGeneration(config("suggest-appointment"))
	result, err = callOverloadedModel()
	record(failing, result, err)

	trace.SetOutput(answer)
	trace.End()
	session.End()
	client.Cleanup() // sends what is waiting
	fmt.Println("recorded as trace", trace.Id())
}
