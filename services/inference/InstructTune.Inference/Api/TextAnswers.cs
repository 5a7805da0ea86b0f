using Google.Protobuf;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Prompts;

namespace InstructTune.Inference.Api;

/// <summary>Answers about text, from a model at hand.</summary>
internal static class TextAnswers
{
    public static V1.TokenizeResponse Tokenize(V1.TokenizeRequest request, ModelLease model) => new()
    {
        TokenIds = { model.Tokenizer.Encode(request.Text, request.AddSpecialTokens, request.AddSpecialTokens) },
    };

    public static V1.DetokenizeResponse Detokenize(V1.DetokenizeRequest request, ModelLease model)
    {
        var size = model.Tokenizer.VocabularySize;
        foreach (var (index, id) in request.TokenIds.Index().Where(entry => entry.Item < 0 || entry.Item >= size).Take(1))
        {
            throw new InvalidFieldsException(
                [new FieldProblem($"token_ids[{index}]", $"must be a token id of the model, from 0 to {size - 1}; got {id}")]);
        }

        return new() { Text = model.Tokenizer.Decode([.. request.TokenIds], skipSpecial: false) };
    }

    public static V1.RenderPromptResponse Render(V1.RenderPromptRequest request, PromptInput input, ModelLease model)
    {
        var rendered = Render(request, input, model.Encoder);
        return new()
        {
            Text = rendered.Text,
            TokenIds = { rendered.Ids },
            Trained = { rendered.Trained },
            TokenBytes = { rendered.Ids.Select(id => ByteString.CopyFrom(model.Tokenizer.TokenBytes(id))) },
            ModelVersion = model.VersionName,
            PromptFormat = model.Encoder.Format.Name,
            PromptFormatSha256 = model.Encoder.Format.Sha256,
        };
    }

    private static RenderedPrompt Render(V1.RenderPromptRequest request, PromptInput input, PromptEncoder encoder)
    {
        try
        {
            return input is PromptInput.Instruction instruction
                ? encoder.Render(instruction.Text, instruction.Input, request.HasResponse ? request.Response : null)
                : encoder.Render(((PromptInput.Conversation)input).Turns);
        }
        catch (ConversationException exception)
        {
            throw new InvalidFieldsException([new FieldProblem($"conversation.turns[{exception.Turn}]", exception.Problem)]);
        }
    }
}
