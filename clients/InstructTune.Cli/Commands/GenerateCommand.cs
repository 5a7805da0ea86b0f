using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Cli.Specs;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune generate</c>: one answer, streamed.</summary>
internal static class GenerateCommand
{
    private static readonly Argument<string?> Prompt = new("instruction")
    {
        Description = "What the model shall do. Absent or '-': read from standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string> Input = new("--input") { Description = "Context for the instruction.", DefaultValueFactory = _ => "" };
    private static readonly Option<bool> Raw = new("--raw") { Description = "Continue the text as it is, without the model's prompt format." };

    private static readonly Option<int?> Logprobs = new("--logprobs")
    {
        Description = "Write one token a line with its log-probability and this many alternatives.", HelpName = "K",
    };

    private static readonly Option<bool> PromptLogprobs = new("--prompt-logprobs") { Description = "With --logprobs: the tokens of the prompt too." };
    private static readonly Option<string?> Format = WeightFormatOption.Create("Fail unless the model is served from weights in this format.");
    private static readonly Option<int?> Count = new("--n") { Description = "This many answers, each with random numbers of its own.", HelpName = "N" };

    public static Command Create(CliContext context)
    {
        var flags = new SamplingFlags();
        var command = new Command("generate", "Answers one instruction.").With(Prompt, ModelOption.Instance, Input, Raw, Logprobs, PromptLogprobs, Count, Format);
        return flags.AddTo(command).WithAction(context, call => RunAsync(call, flags));
    }

    private static async Task<int> RunAsync(CommandCall call, SamplingFlags flags)
    {
        var request = flags.Read(call, Names.ModelVersion(call.Value(ModelOption.Instance)!));
        var text = call.Value(Prompt) is { } prompt && prompt != "-" ? prompt : await call.Terminal.In.ReadToEndAsync(call.Ct);
        if (call.Value(Raw))
        {
            request.RawPrompt = text;
        }
        else
        {
            request.Instruction = new Instruction { Instruction_ = text, Input = call.Value(Input)! };
        }

        ReadOptions(call, request);
        using var client = call.Connect();
        if (!call.IsJson && !request.HasTopLogprobs && !request.Sampling.HasN)
        {
            await flags.AskAsync(call, request, () => AnswerStream.WriteAsync(client, call.Terminal, request, call.Ct));
            return ExitCode.Ok;
        }

        var response = await flags.AskAsync(call, request, () => client.Inference.GenerateAsync(request, cancellationToken: call.Ct).ResponseAsync);
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, response);
        }
        else
        {
            CandidateText.Write(call.Terminal, response);
        }

        return ExitCode.Ok;
    }

    private static void ReadOptions(CommandCall call, GenerateRequest request)
    {
        if (call.Value(Logprobs) is { } count)
        {
            request.TopLogprobs = count;
        }

        if (call.Value(Count) is { } n)
        {
            request.Sampling.N = n;
        }

        request.WeightFormat = WeightFormatOption.Read(call.Value(Format));
        request.IncludePromptLogprobs = call.Value(PromptLogprobs);
    }
}

/// <summary>The model of generate and chat.</summary>
internal static class ModelOption
{
    public static readonly Option<string> Instance = new("--model", "-m")
    {
        Description = "NAME or NAME@VERSION; see 'instructtune model list'.",
        HelpName = "MODEL",
        Required = true,
    };
}
