using InstructTune.Hosting;

namespace InstructTune.Gateway;

/// <summary>Answers PERMISSION_DENIED to who takes an administrator's route with another key.</summary>
internal sealed class AdministratorMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var isForAdministrators = context.GetReverseProxyFeature().Route.Config.Metadata?.ContainsKey(Routes.AdministratorKey) is true;
        return isForAdministrators && context.Features.Get<Caller>() is not { MayAdminister: true }
            ? GrpcAnswer.WriteAsync(context, new DomainException(
                ErrorReason.AdminKeyRequired, "This method needs an administrator's API key; the key of this call is none of Gateway:AdminApiKeys."))
            : next(context);
    }
}
